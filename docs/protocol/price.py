"""What a top-up costs and brings, from the policy as payments.md says: for work offline."""

import datetime

CHINA = datetime.timezone(datetime.timedelta(hours=8))
MOST_PER_ORDER_FEN = 1_000_000_000


class NotOnSale(Exception):
    """There is no such price."""


def business_date(at_ms, cut_off_minutes):
    at = datetime.datetime.fromtimestamp(at_ms // 1000, CHINA)
    return (at - datetime.timedelta(minutes=cut_off_minutes)).date().isoformat()


def is_within(dates, today):
    return dates is None or dates["first"] <= today <= dates["last"]


def bonus_of(row, pay):
    bonus = row["bonus"]
    if bonus["kind"] == "fixed":
        return bonus["bonus_fen"]
    if bonus["kind"] == "percent":
        return pay * bonus["basis_points"] // 10_000 // 100 * 100
    full = pay // bonus["every_fen"] if bonus["every_fen"] > 0 else 0
    return min(full * bonus["bonus_fen"], bonus["cap_fen"])


def best_of_ladders(policy, pay, today):
    """Bonus and coupons of the best row; nothing when no row is reached."""
    found = []
    for ladder in policy["ladders"]:
        reached = [row for row in ladder["rows"] if row["threshold_fen"] <= pay]
        if reached and is_within(ladder["dates"], today):
            row = max(reached, key=lambda row: row["threshold_fen"])
            found.append((-bonus_of(row, pay), ladder["id"], row["coupons"]))
    bonus, _, coupons = min(found, key=lambda best: best[:2], default=(0, None, []))
    return -bonus, coupons


def offer(policy, choice, today):
    """Amount, bonus, points on top, coupons."""
    if choice["kind"] == "package":
        for package in policy["packages"]:
            wanted = (package["id"], package["version"]) == (choice["package"], choice["version"])
            if wanted and is_within(package["on_sale"], today):
                return (package["pay_fen"], package["bonus_fen"], package["extra_points"],
                        package["coupons"])
        raise NotOnSale("package")
    pay = choice["amount_fen"]
    if not policy["custom_amount"] and pay not in policy["fixed_amounts_fen"]:
        raise NotOnSale("amount")
    bonus, coupons = best_of_ladders(policy, pay, today)
    return pay, bonus, 0, coupons


def price(policy, account, choice, at_ms):
    """What is promised."""
    today = business_date(at_ms, policy["store"]["cut_off_minutes"])
    pay, bonus, extra_points, coupons = offer(policy, choice, today)
    if not 0 < pay <= MOST_PER_ORDER_FEN:
        raise NotOnSale("range")
    bonus = min(bonus, pay * policy["bonus_cap_bp"] // 10_000)
    tiers = {tier["id"]: tier for tier in policy["tiers"]}
    held = tiers[account["tier"]]
    net = account["recharged_fen"] - account["refunded_fen"] + pay
    reached = max((tier for tier in tiers.values() if tier["threshold_fen"] <= net),
                  key=lambda tier: tier["rank"])
    earning, yuan = policy["earning"], pay // 100
    rated = yuan * earning["points_per_yuan"]
    rated *= held["points_rate_bp"] * earning["recharge_rate_bp"]
    known = {template["id"] for template in policy["coupon_templates"]}
    return {
        "policy_version": policy["version"],
        "pay_fen": pay,
        "bonus_fen": bonus,
        "bonus_valid_days": policy["bonus_valid_days"] if bonus else None,
        "points": rated // 100_000_000 + extra_points,
        "growth": yuan * earning["growth_per_yuan"],
        "coupons": [[grant["template"], grant["count"]] for grant in coupons
                    if grant["template"] in known],
        "tier_before": held["id"],
        "tier_after": (reached if reached["rank"] > held["rank"] else held)["id"],
    }
