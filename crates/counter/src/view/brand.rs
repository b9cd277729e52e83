//! How the shop looks to its customers.

use qiantai_core::brand::{Accent, Brand};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A shop's colour and the name it is known by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BrandView {
    /// Its colour.
    pub accent: AccentView,
    /// What it is called in the street, shown large; none where that is the name of the shop.
    pub short_name: Option<String>,
}

/// The colours to choose from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AccentView {
    /// The house's own.
    #[default]
    Teal,
    /// 蓝
    Blue,
    /// 紫
    Purple,
    /// 玫红
    Rose,
    /// 红
    Red,
    /// 赭
    Ochre,
    /// 绿
    Green,
    /// 石墨
    Slate,
}

impl From<&Brand> for BrandView {
    fn from(brand: &Brand) -> BrandView {
        BrandView {
            accent: brand.accent.into(),
            short_name: brand.short_name.clone(),
        }
    }
}

impl From<&BrandView> for Brand {
    fn from(view: &BrandView) -> Brand {
        Brand {
            accent: view.accent.into(),
            short_name: view.short_name.clone(),
        }
    }
}

/// The colours by the names that both sides have for them.
macro_rules! colours {
    ($($colour:ident),*) => {
        impl From<Accent> for AccentView {
            fn from(accent: Accent) -> AccentView {
                match accent { $(Accent::$colour => AccentView::$colour,)* }
            }
        }

        impl From<AccentView> for Accent {
            fn from(view: AccentView) -> Accent {
                match view { $(AccentView::$colour => Accent::$colour,)* }
            }
        }
    };
}

colours!(Teal, Blue, Purple, Rose, Red, Ochre, Green, Slate);
