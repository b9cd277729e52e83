//! Sending statements one behind the other without waiting for answers in between.

use std::pin::Pin;
use std::task::Poll;

use futures::future::{BoxFuture, Future, MaybeDone, maybe_done};
use std::future::poll_fn;

/// Runs all; each is started, and so sent, in the order in which it stands here.
pub(super) async fn in_order<T>(work: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let mut work: Vec<Pin<Box<MaybeDone<BoxFuture<'_, T>>>>> = work
        .into_iter()
        .map(|one| Box::pin(maybe_done(one)))
        .collect();
    poll_fn(|context| {
        let mut all_done = true;
        for one in &mut work {
            all_done &= one.as_mut().poll(context).is_ready();
        }
        if all_done {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    work.iter_mut()
        .filter_map(|one| one.as_mut().take_output())
        .collect()
}
