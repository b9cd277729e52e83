//! The customer's phone of training mode.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::wait::PATIENCE;

/// The phone at its page's address.
#[derive(Debug, Clone)]
pub struct Phone {
    client: reqwest::Client,
    page: String,
}

/// What the phone shows after it has read a QR code.
#[derive(Debug, Clone, Deserialize)]
pub struct ScannedPayment {
    /// The right to act on the payment.
    pub token: String,
    /// Everything else that the phone shows.
    #[serde(flatten)]
    pub shown: Value,
}

impl Phone {
    /// The phone whose page is at `url` (`…/phone`).
    pub fn at(url: &str) -> Phone {
        Phone {
            client: reqwest::Client::builder()
                .timeout(PATIENCE)
                .build()
                .expect("a client without TLS settings can always be made"),
            page: url.trim_end_matches('/').to_owned(),
        }
    }

    /// Holds the phone's camera before a picture (PNG) of a QR code.
    ///
    /// # Errors
    /// Where it reads no payment in the picture.
    pub async fn scan(&self, picture: Vec<u8>) -> Result<ScannedPayment, Fault> {
        let request = self.client.post(format!("{}/scan", self.page));
        let answer = request
            .header("content-type", "image/png")
            .body(picture)
            .send()
            .await?;
        Ok(checked(answer).await?.json().await?)
    }

    /// Taps "pay" on a payment.
    ///
    /// # Errors
    /// Where the gateway refuses.
    pub async fn pay(&self, payment: &ScannedPayment) -> Result<(), Fault> {
        self.act(payment, json!({"action": "pay"})).await
    }

    /// Does something else with a payment, in the words of the phone page (`crates/paysim`).
    ///
    /// # Errors
    /// Where the gateway refuses.
    pub async fn act(&self, payment: &ScannedPayment, action: Value) -> Result<(), Fault> {
        let request = self
            .client
            .post(format!("{}/pay/{}", self.page, payment.token));
        checked(request.json(&action).send().await?).await.map(drop)
    }

    /// Shows a fresh payment code, in the words of the phone page (`crates/paysim`). Its `digits`
    /// are what a scanner reads.
    ///
    /// # Errors
    /// Where the gateway does not know these words.
    pub async fn show_code(&self, wish: &Value) -> Result<ScannedPayment, Fault> {
        let request = self.client.post(format!("{}/codes", self.page));
        let answer = request.json(wish).send().await?;
        Ok(checked(answer).await?.json().await?)
    }

    /// Makes the gateway behave badly, in the words of the phone page (`crates/paysim`).
    ///
    /// # Errors
    /// Where it does not know these words.
    pub async fn misbehave(&self, faults: &Value) -> Result<(), Fault> {
        let request = self.client.put(format!("{}/faults", self.page));
        checked(request.json(faults).send().await?).await.map(drop)
    }
}

async fn checked(answer: reqwest::Response) -> Result<reqwest::Response, Fault> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    Err(Fault::Phone(format!(
        "{} {}",
        answer.status(),
        answer.text().await?
    )))
}
