//! Each official protocol: the shop's own client against the gateway's side.

mod desk;
mod faults;
mod stories;
mod wechat;
