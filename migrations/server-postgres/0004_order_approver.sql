-- The manager whose PIN let a top-up pass the cap on offline cash.
ALTER TABLE recharge_order ADD COLUMN approver_id BYTEA CHECK (length(approver_id) = 16);
