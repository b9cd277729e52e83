//! Each official protocol: the shop's own client against the gateway's side.

mod accounts;
mod alipay;
mod desk;
mod faults;
mod shouqianba;
mod stories;
mod unionpay;
mod wechat;
mod wechat_v2;
