//! `qiantai-server pay CHANNEL check`: what the check of a channel finds, in plain words.

use qiantai_pay::channels::shouqianba::ActivationFault;
use qiantai_pay::set_up::{KeyFault, KeyStep};
use qiantai_server::gateway_check::{CheckFault, CheckRemark, CheckReport, CheckStep, Finding};

use crate::{AnyError, Ending, say};

/// Says everything that was found.
pub(super) fn tell(report: &CheckReport) -> Result<Ending, AnyError> {
    let host = report.host.as_deref().unwrap_or("the gateway");
    for finding in &report.findings {
        match finding {
            Finding::Passed(step) => say(&format!("ok    {}", passed(*step, host)))?,
            Finding::Remark(remark) => say(&format!("note  {}", remarked(remark)))?,
            Finding::Failed(_, fault) => {
                say(&format!("BAD   {}", failed(fault, host)))?;
                say(&format!("      {}", cure(fault)))?;
            }
        }
    }
    if !report.is_good() {
        return Ok(Ending::Bad);
    }
    say("The channel is ready.")?;
    Ok(Ending::Well)
}

fn passed(step: CheckStep, host: &str) -> String {
    match step {
        CheckStep::Keys(KeyStep::Filled) => "every setting is there and can be read",
        CheckStep::Keys(KeyStep::OwnKey) => "our own keys can be read",
        CheckStep::Keys(KeyStep::OwnCertificate) => "our key fits our certificate",
        CheckStep::Keys(KeyStep::Dates) => "our certificate holds now",
        CheckStep::Keys(KeyStep::GatewayKey) => "the gateway's keys can be read",
        CheckStep::Reach => return format!("{host} is found and takes connections"),
        CheckStep::Secure => "the connection is secure and answered",
        CheckStep::Clock => "the clock is right",
        CheckStep::Activated => "this machine is a terminal of the gateway's",
        CheckStep::Accepted => "the gateway accepts our signature, and we accept its answer",
    }
    .to_owned()
}

fn remarked(remark: &CheckRemark) -> String {
    match remark {
        CheckRemark::Plain => {
            "answered, but base_url begins with http://: the way there is not encrypted, as no \
             real gateway wants it; this is for a simulated one"
                .to_owned()
        }
        CheckRemark::ClockOff(seconds) => {
            format!("this machine's clock is {seconds} seconds off")
        }
        CheckRemark::EndsSoon(credential, days) => {
            format!("{credential} ends in {days} days; renew it")
        }
    }
}

fn failed(fault: &CheckFault, host: &str) -> String {
    match fault {
        CheckFault::Unreadable(error) => {
            format!("the settings name something that cannot be read: {error}")
        }
        CheckFault::Field(fault) => fault.to_string(),
        CheckFault::Unusable(words) => words.clone(),
        CheckFault::BadRequest(words) => format!("the gateway calls the request wrong: {words}"),
        CheckFault::NoUsableAnswer(cause) => cause.to_string(),
        CheckFault::Address(base_url) => format!("base_url {base_url:?} is no address"),
        CheckFault::NoName => format!("the name {host} cannot be resolved (DNS)"),
        CheckFault::NoConnection(port) => {
            format!("{host} port {port} does not take a connection")
        }
        CheckFault::NoTls => format!("no secure connection (TLS) to {host}"),
        CheckFault::NoAnswer(error) => format!("{host} does not answer: {error}"),
        CheckFault::ClockOff(seconds) => {
            format!("this machine's clock is {seconds} seconds off the gateway's")
        }
        CheckFault::NotActivated(fault) => fault.to_string(),
        CheckFault::SignatureRefused => "the gateway does not accept our signature".to_owned(),
        CheckFault::ClockRefused => "the gateway says that the clock is wrong".to_owned(),
        CheckFault::NotPermitted => "the merchant may not use this product".to_owned(),
        CheckFault::MerchantBlocked => "the merchant may not receive money at present".to_owned(),
        CheckFault::AnswerUnsigned => "the answer is not signed with a key that we hold".to_owned(),
    }
}

/// What to do about it.
fn cure(fault: &CheckFault) -> &'static str {
    match fault {
        CheckFault::Unreadable(_) => {
            "Look at the path or name, and whether the server's user may read it."
        }
        CheckFault::Field(fault) => match fault.fault {
            KeyFault::NotYetValid(_) => "Look at this machine's date, or take the older one.",
            KeyFault::Expired(_) => "Apply for a new one in the merchant platform.",
            KeyFault::NotOfCertificate | KeyFault::OfAnother(_) => {
                "Take key and certificate from one download, of the merchant number above."
            }
            _ => "Compare with docs/payments.md; keys must be the files as they were downloaded.",
        },
        CheckFault::Unusable(_) => {
            "Compare with docs/payments.md; keys must be the files as they were downloaded."
        }
        CheckFault::Address(_) => "It begins with https:// and has no path.",
        CheckFault::NoName => "Look at the machine's network and its name server.",
        CheckFault::NoConnection(_) => {
            "Look at the firewall; the server must reach the gateway without a proxy."
        }
        CheckFault::NoTls => {
            "Its certificate is not accepted: look at the clock, at the system's root \
             certificates, and for a device that opens TLS connections."
        }
        CheckFault::NoAnswer(_) => "Try again later.",
        CheckFault::ClockOff(_) => "Set the clock by NTP; the gateway refuses such requests.",
        CheckFault::NotActivated(fault) => match fault {
            ActivationFault::Vendor => {
                "Compare the vendor's number and key; both come with the contract."
            }
            ActivationFault::Refused(_) => {
                "Nothing was activated. Compare the code and the application, or have a new code made."
            }
            ActivationFault::Unclear(_) => {
                "Try again: the same machine gets the same terminal, so nothing is used up."
            }
            ActivationFault::NotKept(_) => {
                "Make room, or let the server write there, and try again: the same machine gets the \
                 same terminal."
            }
        },
        CheckFault::SignatureRefused => {
            "The private key does not match what is registered at the gateway, or the serial \
             number, application or merchant number is another's."
        }
        CheckFault::ClockRefused => "Set this machine's clock by NTP.",
        CheckFault::NotPermitted => {
            "Sign the product in the merchant platform, or wait until it is approved."
        }
        CheckFault::MerchantBlocked => "Look at the messages in the merchant platform.",
        CheckFault::BadRequest(_) => "A merchant or application number is likely wrong.",
        CheckFault::AnswerUnsigned => {
            "The gateway's public key, its id or its certificate in the settings is not the one \
             in force; download it again. Beware of taking the merchant's own key for it."
        }
        CheckFault::NoUsableAnswer(_) => "Try again; if it stays, ask the gateway's support.",
    }
}
