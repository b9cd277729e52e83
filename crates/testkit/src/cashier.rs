//! What a cashier does at the counter, in the cashier's steps.

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::phone::Phone;
use crate::wait::{PATIENCE, until};
use crate::window::{Control, Window};
use crate::words::Words;

/// A person at the counter.
#[derive(Debug)]
pub struct Cashier<'a> {
    /// The window before which the person stands.
    pub window: &'a Window,
    /// The language of the window.
    pub words: &'a Words,
}

/// A way to pay, by its key in the message catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// 微信
    Wechat,
    /// 支付宝
    Alipay,
    /// 现金
    Cash,
}

impl Method {
    fn key(self) -> &'static str {
        match self {
            Method::Wechat => "channel.wechat",
            Method::Alipay => "channel.alipay",
            Method::Cash => "channel.cash",
        }
    }
}

impl Cashier<'_> {
    /// Waits until the shop's files are open.
    ///
    /// # Errors
    /// Where the start ends in trouble, or not at all.
    pub async fn wait_until_open(&self) -> Result<Value, Fault> {
        until("the shop's files to open", PATIENCE * 4, || async {
            let status: Value = self.window.call("boot_status", Value::Null).await?;
            match status["state"]["kind"].as_str() {
                Some("opening") => Ok(None),
                Some("trouble") => Err(Fault::Unexpected(format!("{}", status["state"]))),
                _ => Ok(Some(status)),
            }
        })
        .await
    }

    /// The phone of a customer, in training mode.
    ///
    /// # Errors
    /// Where this is no training.
    pub async fn customers_phone(&self) -> Result<Phone, Fault> {
        let status = self.wait_until_open().await?;
        let url = status["training"]["phone_url"].as_str();
        url.map(Phone::at)
            .ok_or_else(|| Fault::Unexpected("this is no training".into()))
    }

    /// Signs in as the first sample cashier, with the PIN that training mode shows.
    ///
    /// # Errors
    /// Where the window does not follow.
    pub async fn sign_in(&self) -> Result<(), Fault> {
        let status = self.wait_until_open().await?;
        let pins = &status["training"]["pins"][0];
        let (Some(number), Some(pin)) = (pins[0].as_str(), pins[1].as_str()) else {
            return Err(Fault::Unexpected("training mode shows no PINs".into()));
        };
        self.sign_in_as(number, pin).await
    }

    /// Signs in with a staff number and its PIN, as a person who needs no guide.
    ///
    /// # Errors
    /// Where the window does not follow.
    pub async fn sign_in_as(&self, number: &str, pin: &str) -> Result<(), Fault> {
        self.enter_pin(number, pin).await?;
        let session: Value = self.window.call("session", Value::Null).await?;
        let mut settings = session["settings"].clone();
        settings["guide"] = json!("never");
        self.window
            .call::<Value>("save_settings", settings)
            .await
            .map(drop)
    }

    /// Signs in with a staff number and its PIN, and leaves every setting as it is.
    ///
    /// # Errors
    /// Where the window does not follow.
    pub async fn enter_pin(&self, number: &str, pin: &str) -> Result<(), Fault> {
        self.window
            .control("heading", &self.words.get("sign_in.who")?)
            .await?;
        self.window.click("button", &contains(number)).await?;
        self.window
            .button(&contains(&self.words.get("sign_in.enter")?))
            .await?;
        self.window.type_text(pin).await?;
        self.window.press(Key::Enter).await?;
        self.window
            .gone("button", &contains(&self.words.get("sign_in.enter")?))
            .await
    }

    /// Opens the shift with five notes of 100 yuan.
    ///
    /// # Errors
    /// Where the window does not follow.
    pub async fn open_shift(&self) -> Result<(), Fault> {
        let hundreds = self.words.with("shift.note", &[("value", "100")])?;
        self.window.fill("textbox", &hundreds, "5").await?;
        let open = self.words.start_of("shift.open")?;
        self.window
            .click("button", &format!("/^{open}.*500/"))
            .await?;
        self.at_rest().await
    }

    /// Waits for the counter that is ready for the next customer.
    ///
    /// # Errors
    /// Where it does not come.
    pub async fn at_rest(&self) -> Result<(), Fault> {
        self.window
            .control("heading", &self.words.get("idle.title")?)
            .await
            .map(drop)
    }

    /// Types `query` into the search box and takes the hit whose line contains `name`.
    ///
    /// # Errors
    /// Where the member is not found.
    pub async fn find(&self, query: &str, name: &str) -> Result<(), Fault> {
        self.window
            .fill("combobox", &self.words.get("search.name")?, query)
            .await?;
        self.window.click("option", &contains(name)).await?;
        let title = self.words.with("top_up.title", &[("member", name)])?;
        self.window.control("heading", &title).await.map(drop)
    }

    /// Chooses the offer of `yuan`, at most 999999 in plain digits.
    ///
    /// # Errors
    /// Where there is no such offer.
    pub async fn choose_amount(&self, yuan: &str) -> Result<(), Fault> {
        // Thousands are set off by a comma.
        let (thousands, rest) = yuan.split_at(yuan.len().saturating_sub(3));
        let comma = if thousands.is_empty() { "" } else { "," };
        let name = format!("/^¥{thousands}{comma}{rest}\\b/");
        self.window.choose("radio", &name).await
    }

    /// Chooses a way to pay.
    ///
    /// # Errors
    /// Where it is not offered.
    pub async fn choose_method(&self, method: Method) -> Result<(), Fault> {
        self.window
            .choose("radio", &contains(&self.words.get(method.key())?))
            .await
    }

    /// Waits until payment may be taken.
    ///
    /// # Errors
    /// Where the button stays closed.
    pub async fn ready_to_pay(&self) -> Result<Control, Fault> {
        let name = self.payment_button()?;
        until("the button to take payment", PATIENCE, || async {
            match self.window.look("button", &name).await? {
                Some(button) if button.is_enabled().await? => Ok(Some(button)),
                _ => Ok(None),
            }
        })
        .await
    }

    fn payment_button(&self) -> Result<String, Fault> {
        let cash = self.words.start_of("summary.go_cash")?;
        let recorded = self.words.start_of("summary.go_recorded")?;
        let code = self.words.start_of("summary.go_shop_code")?;
        let other = self.words.start_of("summary.go_amount")?;
        Ok(format!("/^({cash}|{recorded}|{code}|{other}).*¥/"))
    }

    /// Presses the one big button, once it may be pressed.
    ///
    /// # Errors
    /// Where it stays closed.
    pub async fn take_payment(&self) -> Result<(), Fault> {
        self.window.click("button", &self.payment_button()?).await
    }

    /// Presses the one big button until what it leads to is there: a press that follows a code or
    /// a scan too quickly is not taken.
    ///
    /// # Errors
    /// Where it does not come.
    pub async fn take_payment_until(&self, role: &str, name: &str) -> Result<(), Fault> {
        let button = self.payment_button()?;
        until(&format!("the {role} called {name:?}"), PATIENCE, || async {
            if self.window.look(role, name).await?.is_some() {
                return Ok(Some(()));
            }
            self.window.try_click("button", &button).await.map(|_| None)
        })
        .await
    }

    /// Clicks the one big button twice, as quickly as a hand can.
    ///
    /// # Errors
    /// Where it stays closed.
    pub async fn take_payment_twice(&self) -> Result<(), Fault> {
        let button = self.ready_to_pay().await?;
        self.window.double_click(&button).await
    }

    /// The picture of the QR code that the customer sees, once it is there.
    ///
    /// # Errors
    /// Where none comes.
    pub async fn payment_qr(&self, method: Method) -> Result<Vec<u8>, Fault> {
        let channel = self.words.get(method.key())?;
        let name = self.words.with("paying.qr", &[("channel", &channel)])?;
        // Under the eyes of a phone: a code that is laid out is not yet painted.
        until("a code that a phone can read", PATIENCE, || async {
            let code = self.window.control("img", &name).await?;
            let picture = self.window.picture_of(&code).await?;
            match picture.shows_a_code() {
                true => picture.png().map(Some),
                false => Ok(None),
            }
        })
        .await
    }

    /// Waits for the success screen.
    ///
    /// # Errors
    /// Where it does not come.
    pub async fn success(&self) -> Result<(), Fault> {
        self.window
            .control("region", &self.words.get("success.name")?)
            .await
            .map(drop)
    }

    /// Goes on to the next customer.
    ///
    /// # Errors
    /// Where the window does not follow.
    pub async fn next_customer(&self) -> Result<(), Fault> {
        self.window
            .click("button", &contains(&self.words.get("success.next")?))
            .await?;
        self.at_rest().await
    }

    /// The newest order of this terminal, with everything that the window knows of it.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn newest_order(&self) -> Result<Value, Fault> {
        let orders: Vec<Value> = self.window.call("orders", Value::Null).await?;
        let newest = orders
            .iter()
            .max_by_key(|order| order["opened_at_ms"].as_i64());
        let id = newest.map(|order| order["id"].clone());
        let id = id.ok_or_else(|| Fault::Unexpected("there is no order yet".into()))?;
        self.window.call("order", json!({ "order_id": id })).await
    }
}

/// A name that contains `text`.
fn contains(text: &str) -> String {
    let mut pattern = String::from("/");
    for letter in text.chars() {
        if !letter.is_alphanumeric() && !letter.is_whitespace() {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('/');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_in_patterns() {
        for (text, pattern) in [
            ("1001", "/1001/"),
            ("a (b)", "/a \\(b\\)/"),
            ("张伟", "/张伟/"),
        ] {
            assert_eq!(contains(text), pattern);
        }
    }
}
