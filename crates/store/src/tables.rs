//! One table, one file. Each takes a connection or a transaction of the store; what must happen
//! together is put together by the files beside this folder.

pub mod chain_start;
pub mod clock_mark;
pub mod cursor;
pub mod lease;
pub mod member_key;
pub mod new_member;
pub mod operation;
pub mod operation_delivery;
pub mod policy;
pub mod print_job;
pub mod replica_account;
pub mod replica_attempt;
pub mod replica_case;
pub mod replica_coupon;
pub mod replica_device;
pub mod replica_lease;
pub mod replica_member;
pub mod replica_order;
pub mod replica_shift;
pub mod row;
pub mod setting;
pub mod settlement;
pub mod staff_lock;
pub mod staff_pin;
