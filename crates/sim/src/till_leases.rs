//! Where a terminal keeps its leases: its own store, behind its trap.

use std::sync::Arc;

use async_trait::async_trait;
use qiantai_core::ids::{LeaseId, MemberId, StoreId};
use qiantai_core::lease::SEEN_WITHIN;
use qiantai_store::{LeaseDue, StoreError};
use qiantai_sync::{LeaseBook, LocalLogError};
use qiantai_wire::api::GrantedLease;

use crate::bug::Bug;
use crate::till_log::{TillLog, failed};

/// The leases of one run of a terminal.
pub struct TillLeases {
    log: Arc<TillLog>,
    shop: StoreId,
}

impl TillLeases {
    /// The leases of a terminal that stands in `shop`.
    pub fn new(log: Arc<TillLog>, shop: StoreId) -> TillLeases {
        TillLeases { log, shop }
    }

    fn spoil(&self, asked: &[LeaseDue], leases: &mut Vec<GrantedLease>) -> Result<(), StoreError> {
        match self.log.bug {
            Some(Bug::LeaseCountedTwice) => {
                for lease in leases {
                    (lease.granted, lease.left) =
                        (lease.granted + lease.granted, lease.left + lease.left);
                }
            }
            Some(Bug::LeaseOfAnother) => {
                for due in asked {
                    let others = self.log.store.leases_of(due.member)?.into_iter();
                    let known = |id: LeaseId| leases.iter().any(|lease| lease.id == id);
                    let others: Vec<_> = others.filter(|lease| !known(lease.id)).collect();
                    leases.extend(others.iter().map(|lease| GrantedLease {
                        id: lease.id,
                        member: lease.member,
                        granted: lease.left(),
                        left: lease.left(),
                        bytes: Vec::new(),
                    }));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[async_trait]
impl LeaseBook for TillLeases {
    type Due = LeaseDue;

    fn member(due: &LeaseDue) -> MemberId {
        due.member
    }

    async fn due(&self, limit: usize) -> Result<Vec<LeaseDue>, LocalLogError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let since = self.log.clock.shows() - SEEN_WITHIN;
        let due = self.log.store.leases_due(self.shop, since, limit);
        due.map_err(failed)
    }

    async fn take(
        &self,
        asked: Vec<LeaseDue>,
        mut leases: Vec<GrantedLease>,
    ) -> Result<(), LocalLogError> {
        self.spoil(&asked, &mut leases).map_err(failed)?;
        self.log
            .write(|store| store.take_leases(&asked, &leases))
            .await
    }
}
