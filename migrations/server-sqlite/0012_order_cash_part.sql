-- What of an order is paid in cash beside a gateway that is asked for the rest.
ALTER TABLE recharge_order ADD COLUMN cash_part_fen INTEGER CHECK (cash_part_fen > 0 AND cash_part_fen < pay_fen);
