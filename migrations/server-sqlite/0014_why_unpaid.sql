-- Why the shop's own set-up let a payment attempt fail, and whether a reversal gave money back.
ALTER TABLE payment_attempt ADD COLUMN config_fault TEXT;
ALTER TABLE payment_attempt ADD COLUMN money_returned INTEGER CHECK (money_returned IN (0, 1));
