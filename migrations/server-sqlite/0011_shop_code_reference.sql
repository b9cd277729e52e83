-- Payments by the shop's own code are recorded with a reference as well.
DROP INDEX recharge_order_by_reference;
CREATE INDEX recharge_order_by_reference ON recharge_order (tenant_id, channel_txn_no)
    WHERE paid_channel IN ('card', 'transfer', 'shop_code');
