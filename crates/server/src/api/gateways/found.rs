//! What a check found, as it is told.

use http::Uri;
use qiantai_pay::channels::shouqianba::ActivationFault;
use qiantai_pay::set_up::{KeyFault, KeyStep, SetUpFault};
use qiantai_wire::api::{
    CheckFaultDto, CheckFindingDto, CheckRemarkDto, CheckStepDto, GatewayCheckAnswer,
};

use crate::gateway_check::{CheckFault, CheckRemark, CheckReport, CheckStep, Finding};

pub(super) fn told(report: CheckReport, in_force: bool) -> GatewayCheckAnswer {
    GatewayCheckAnswer {
        good: report.is_good(),
        in_force,
        host: report.host,
        findings: report.findings.into_iter().map(finding).collect(),
    }
}

/// An address that is entered is encrypted, or stays within this machine.
pub(super) fn unsafe_address(base_url: Option<&str>) -> Option<CheckReport> {
    let address = base_url?;
    let uri: Option<Uri> = address.parse().ok();
    let is_safe = uri.is_some_and(|uri| match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => true,
        (Some("http"), Some(host)) => matches!(host, "127.0.0.1" | "localhost" | "[::1]"),
        _ => false,
    });
    let fault = CheckFault::Address(address.to_owned());
    let failed = Finding::Failed(CheckStep::Keys(KeyStep::Filled), fault);
    (!is_safe).then(|| CheckReport {
        host: None,
        findings: vec![failed],
    })
}

fn finding(finding: Finding) -> CheckFindingDto {
    match finding {
        Finding::Passed(step) => CheckFindingDto::Passed {
            step: step_of(step),
        },
        Finding::Remark(remark) => {
            let (remark, place, count) = match remark {
                CheckRemark::Plain => (CheckRemarkDto::Plain, None, None),
                CheckRemark::ClockOff(seconds) => (CheckRemarkDto::ClockOff, None, Some(seconds)),
                CheckRemark::EndsSoon(place, days) => {
                    (CheckRemarkDto::EndsSoon, Some(place), Some(days))
                }
            };
            CheckFindingDto::Remark {
                remark,
                place,
                count,
            }
        }
        Finding::Failed(step, fault) => {
            let why = why(fault);
            CheckFindingDto::Failed {
                step: step_of(step),
                fault: why.fault,
                place: why.place,
                count: why.count,
                detail: why.detail,
            }
        }
    }
}

fn step_of(step: CheckStep) -> CheckStepDto {
    match step {
        CheckStep::Keys(KeyStep::Filled) => CheckStepDto::Filled,
        CheckStep::Keys(KeyStep::OwnKey) => CheckStepDto::OwnKey,
        CheckStep::Keys(KeyStep::OwnCertificate) => CheckStepDto::OwnCertificate,
        CheckStep::Keys(KeyStep::Dates) => CheckStepDto::Dates,
        CheckStep::Keys(KeyStep::GatewayKey) => CheckStepDto::GatewayKey,
        CheckStep::Reach => CheckStepDto::Reach,
        CheckStep::Secure => CheckStepDto::Secure,
        CheckStep::Clock => CheckStepDto::Clock,
        CheckStep::Activated => CheckStepDto::Activated,
        CheckStep::Accepted => CheckStepDto::Accepted,
    }
}

/// A fault with what its sentence needs.
struct Why {
    fault: CheckFaultDto,
    place: Option<String>,
    count: Option<i64>,
    detail: Option<String>,
}

impl From<CheckFaultDto> for Why {
    fn from(fault: CheckFaultDto) -> Why {
        Why {
            fault,
            place: None,
            count: None,
            detail: None,
        }
    }
}

impl Why {
    fn said(fault: CheckFaultDto, detail: impl ToString) -> Why {
        Why {
            detail: Some(detail.to_string()),
            ..fault.into()
        }
    }

    fn counted(fault: CheckFaultDto, count: i64) -> Why {
        Why {
            count: Some(count),
            ..fault.into()
        }
    }
}

fn why(fault: CheckFault) -> Why {
    match fault {
        CheckFault::Unreadable(error) => Why {
            place: Some(error.place.clone()),
            ..Why::said(CheckFaultDto::Unreadable, error.problem)
        },
        CheckFault::Field(fault) => why_of_field(fault),
        CheckFault::Unusable(words) => Why::said(CheckFaultDto::Unusable, words),
        CheckFault::Address(address) => Why::said(CheckFaultDto::Address, address),
        CheckFault::NoName => CheckFaultDto::NoName.into(),
        CheckFault::NoConnection(port) => {
            Why::counted(CheckFaultDto::NoConnection, i64::from(port))
        }
        CheckFault::NoTls => CheckFaultDto::NoTls.into(),
        CheckFault::NoAnswer(error) => Why::said(CheckFaultDto::NoAnswer, error),
        CheckFault::ClockOff(seconds) => Why::counted(CheckFaultDto::ClockOff, seconds),
        CheckFault::NotActivated(fault) => why_of_activation(fault),
        CheckFault::SignatureRefused => CheckFaultDto::SignatureRefused.into(),
        CheckFault::ClockRefused => CheckFaultDto::ClockRefused.into(),
        CheckFault::NotPermitted => CheckFaultDto::NotPermitted.into(),
        CheckFault::MerchantBlocked => CheckFaultDto::MerchantBlocked.into(),
        CheckFault::BadRequest(words) => Why::said(CheckFaultDto::BadRequest, words),
        CheckFault::AnswerUnsigned => CheckFaultDto::AnswerUnsigned.into(),
        CheckFault::NoUsableAnswer(cause) => Why::said(CheckFaultDto::NoUsableAnswer, cause),
    }
}

fn why_of_activation(fault: ActivationFault) -> Why {
    let of_field = |place: &str, why: Why| Why {
        place: Some(place.to_owned()),
        ..why
    };
    match fault {
        ActivationFault::Vendor => of_field("vendor_key", CheckFaultDto::VendorRefused.into()),
        ActivationFault::Refused(words) => of_field(
            "activation_code",
            Why::said(CheckFaultDto::ActivationRefused, words),
        ),
        ActivationFault::Unclear(cause) => Why::said(CheckFaultDto::ActivationUnclear, cause),
        ActivationFault::NotKept(error) => Why::said(CheckFaultDto::TerminalNotKept, error),
    }
}

fn why_of_field(fault: SetUpFault) -> Why {
    let (word, count, detail) = match fault.fault {
        KeyFault::Missing => (CheckFaultDto::Missing, None, None),
        KeyFault::TwoModes => (CheckFaultDto::TwoModes, None, None),
        KeyFault::Malformed => (CheckFaultDto::Malformed, None, None),
        KeyFault::NotAPrivateKey => (CheckFaultDto::NotAPrivateKey, None, None),
        KeyFault::NotAPublicKey => (CheckFaultDto::NotAPublicKey, None, None),
        KeyFault::NotACertificate => (CheckFaultDto::NotACertificate, None, None),
        KeyFault::NotAKeyStore => (CheckFaultDto::NotAKeyStore, None, None),
        KeyFault::WeakKey => (CheckFaultDto::WeakKey, None, None),
        KeyFault::NotThirtyTwo(bytes) => {
            let bytes = i64::try_from(bytes).ok();
            (CheckFaultDto::NotThirtyTwo, bytes, None)
        }
        KeyFault::NotOfCertificate => (CheckFaultDto::NotOfCertificate, None, None),
        KeyFault::OfAnother(merchant) => (CheckFaultDto::OfAnother, None, Some(merchant)),
        KeyFault::NotYetValid(days) => (CheckFaultDto::NotYetValid, Some(days), None),
        KeyFault::Expired(days) => (CheckFaultDto::Expired, Some(days), None),
        KeyFault::OwnKey => (CheckFaultDto::OwnKey, None, None),
        KeyFault::NotUsable => (CheckFaultDto::NotUsable, None, None),
    };
    Why {
        fault: word,
        place: Some(fault.place),
        count,
        detail,
    }
}
