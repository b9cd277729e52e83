-- References of payments that staff record: a transfer is looked for among all orders before another
-- is credited with it, a card payment among those of its day.
CREATE INDEX recharge_order_by_reference ON recharge_order (tenant_id, channel_txn_no)
    WHERE paid_channel IN ('card', 'transfer');
