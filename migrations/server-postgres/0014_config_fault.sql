-- Why the shop's own set-up let a payment attempt fail.
ALTER TABLE payment_attempt ADD COLUMN config_fault TEXT;
