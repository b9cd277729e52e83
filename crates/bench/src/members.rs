//! Members in any number, made from a seed: equal seeds make equal members.

use qiantai_wire::codes::MemberStatusDto;
use qiantai_wire::feed::{AccountDto, LotDto, MemberDto, MemberProfileDto};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

/// Frequent surnames first; the last ones have several readings.
const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤单解查仇盖区乐华";
const GIVEN: &str = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉力健俊帆雪荣爱妹香月莺媛瑞凡佳嘉琼勤珍贞莉桂娣叶璧璐娅琦晶妍茜秋珊莎锦黛青倩婷姣婉娴瑾颖露瑶怡婵雁蓓纨仪荷丹蓉眉君琴蕊薇菁梦岚苑婕馨瑗琰韵融园艺咏卿聪澜纯毓悦昭冰爽琬茗羽希宁欣飘育滢馥筠柔竹霭凝晓欢霄枫芸菲寒伊亚宜可姬舒影荔枝思雨放";

/// Makes members, one after another.
pub struct Members {
    random: ChaCha8Rng,
    surnames: Vec<char>,
    given: Vec<char>,
    number: u32,
}

impl Members {
    /// Begins with member 1.
    pub fn of_seed(seed: u64) -> Members {
        Members {
            random: ChaCha8Rng::seed_from_u64(seed),
            surnames: SURNAMES.chars().collect(),
            given: GIVEN.chars().collect(),
            number: 0,
        }
    }

    /// The next member, who has an account.
    pub fn make(&mut self) -> (MemberDto, MemberProfileDto, AccountDto) {
        self.number += 1;
        let id = Uuid::from_u128(u128::from(self.number));
        let registered_at_ms = self
            .random
            .random_range(1_500_000_000_000..1_790_000_000_000_i64);
        let profile = MemberProfileDto {
            id,
            name: self.name(),
            phone: format!(
                "1{}",
                self.random.random_range(3_000_000_000..9_999_999_999_u64)
            ),
            card_no: self
                .random
                .random_bool(0.5)
                .then(|| format!("VIP{:08}", self.number)),
            birth_month: Some(self.random.random_range(1..=12)),
            note: None,
        };
        let member = MemberDto {
            id,
            member_no: format!("M{:08}", self.number),
            home_store: Uuid::from_u128(2),
            status: MemberStatusDto::Active,
            registered_at_ms,
            profile: Some(profile.clone()),
        };
        (member, profile, account(id, registered_at_ms))
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        // The lower of two draws: frequent names are frequent, as in life.
        let count = self.surnames.len();
        let surname = self
            .random
            .random_range(0..count)
            .min(self.random.random_range(0..count));
        name.push(self.surnames[surname]);
        for _ in 0..self.random.random_range(1..=2_u8) {
            name.push(self.given[self.random.random_range(0..self.given.len())]);
        }
        name
    }
}

fn account(member: Uuid, credited_at_ms: i64) -> AccountDto {
    let lot = LotDto {
        id: member,
        order: None,
        principal_init_fen: 30_000,
        principal_left_fen: 18_000,
        bonus_init_fen: 5_000,
        bonus_left_fen: 3_000,
        bonus_expires_at_ms: None,
        spend_order: qiantai_core::policy::SpendOrder::Proportional.into(),
        credited_at_ms,
    };
    AccountDto {
        member,
        principal_fen: 18_000,
        bonus_fen: 3_000,
        frozen_principal_fen: 0,
        frozen_bonus_fen: 0,
        debt_fen: 0,
        recharged_fen: 30_000,
        refunded_fen: 0,
        bonus_granted_fen: 5_000,
        growth: 300,
        points: 300,
        points_debt: 0,
        tier: Uuid::from_u128(1),
        tier_valid_until_ms: None,
        last_seq: 2,
        lots: vec![lot],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_make_equal_members() {
        let names = |seed| -> Vec<String> {
            let mut members = Members::of_seed(seed);
            (0..50).map(|_| members.make().1.name).collect()
        };
        assert_eq!(names(1), names(1));
        assert_ne!(names(1), names(2));
    }
}
