//! Waiting for a condition, with a deadline.

use std::time::Duration;

use tokio::time::Instant;

use crate::fault::Fault;

/// How long anything in the window may take before a test gives up. Generous, because the machine
/// may be busy compiling; waiting ends as soon as the condition holds.
pub const PATIENCE: Duration = Duration::from_secs(30);

const LOOK_AGAIN: Duration = Duration::from_millis(30);

/// Asks `look` again and again until it finds something.
///
/// # Errors
/// Where it fails, or finds nothing within `patience`.
pub async fn until<T, F>(
    what: &str,
    patience: Duration,
    mut look: impl FnMut() -> F,
) -> Result<T, Fault>
where
    F: Future<Output = Result<Option<T>, Fault>>,
{
    let deadline = Instant::now() + patience;
    let in_vain = || Fault::InVain {
        what: what.to_owned(),
        seconds: patience.as_secs(),
    };
    loop {
        // A look that never comes back is cut off too, but not one that is under way.
        let looked = tokio::time::timeout_at(deadline + PATIENCE, look()).await;
        if let Some(found) = looked.map_err(|_| in_vain())?? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            return Err(in_vain());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_ends_with_the_condition() {
        let mut looked = 0;
        let found = until("the third look", PATIENCE, || {
            looked += 1;
            let found = (looked == 3).then_some(looked);
            async move { Ok(found) }
        });
        assert_eq!(found.await.expect("it comes true"), 3);
    }

    #[tokio::test]
    async fn waiting_in_vain_says_for_what() {
        let vain = until("rain", Duration::from_millis(1), || async {
            Ok(None::<()>)
        });
        let fault = vain.await.expect_err("it never comes true");
        assert_eq!(fault.to_string(), "waited 0 s in vain for rain");
    }
}
