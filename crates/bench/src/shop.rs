//! A shop with everything in this process, as in training mode: the desk, its encrypted store, the
//! server on its encrypted ledger, and the simulated gateway, whose notices wait to be carried.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::Full;
use qiantai_core::attempt::Channel;
use qiantai_core::ids::{MemberId, TenantId};
use qiantai_core::member::MemberStatus;
use qiantai_counter::api::CounterApi;
use qiantai_counter::boot::{Host, Known, Link};
use qiantai_counter::desk::Desk;
use qiantai_counter::error::CallError;
use qiantai_counter::surroundings::Machine;
use qiantai_counter::view::Fen;
use qiantai_counter::view::boot::{BootState, Training, TroubleCause};
use qiantai_counter::view::member::MemberKey;
use qiantai_counter::view::order::PrintState;
use qiantai_counter::view::queue::SyncState;
use qiantai_counter::view::session::{OpenShift, SignIn};
use qiantai_counter::view::top_up::{ChannelView, QuoteRequest, QuoteView, TopUpForm};
use qiantai_pay::channels::training::TrainingChannel;
use qiantai_pay::{Registry, Surroundings, SystemSurroundings};
use qiantai_paysim::protocols::wechat::{CodeApi, KeyMode, WechatOpening};
use qiantai_paysim::{Gateway, RouterTransport, Simulator, serve};
use qiantai_server::sample::{self, ShopKind, TRAINING_STAFF};
use qiantai_server::{Channels, Server, ServerOptions, SystemClock};
use qiantai_store::vault::{FileKeyHolder, KeyHolder, Secrets};
use qiantai_sync::transport::InProcessTransport;
use qiantai_testkit::{Fault, PATIENCE, until};

use crate::Outcome;

/// As long as the gateway and the server may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const NAME: &str = "动力健身";
const GATEWAY_URL: &str = "http://gateway";
/// Where the gateway posts its notices.
const SERVER_URL: &str = "http://server";
/// Members of the sample shop beyond those that are served: some are frozen or gone.
const MEMBERS_SPARE: usize = 100;

/// The shop.
pub struct Shop {
    /// Where the cashier works.
    pub desk: Arc<Desk>,
    /// The authority.
    pub server: Server,
    /// The gateway.
    pub gateway: Simulator,
    /// Whose books.
    pub tenant: TenantId,
}

impl Shop {
    /// A gym with at least `customers` active members, a cashier signed in and a shift open. Its
    /// payments go to the gateway of training.
    pub async fn open(folder: &Path, customers: usize) -> Outcome<Shop> {
        let (gateway, config) = Gateway::practice([7; 32], NAME, GATEWAY_URL);
        let gateway = Simulator::new(gateway, Arc::new(SystemSurroundings));
        let surroundings = Arc::new(SystemSurroundings);
        let channel = TrainingChannel::new(config, line_to(&gateway), surroundings)
            .map_err(|error| error.to_string())?;
        let channels = Channels::all_through(Arc::new(channel), Some(SERVER_URL.to_owned()));
        Shop::open_with(folder, customers, gateway, channels).await
    }

    /// The same with WeChat Pay by API v3.
    pub async fn open_with_wechat(folder: &Path, customers: usize) -> Outcome<Shop> {
        let mut gateway = Gateway::new([7; 32]);
        let opening = WechatOpening {
            name: NAME,
            mchid: "1900000109",
            mode: KeyMode::PublicKey,
            codes: CodeApi::V3,
        };
        let settings = gateway.open_wechat(opening, GATEWAY_URL, SystemSurroundings.now());
        let gateway = Simulator::new(gateway, Arc::new(SystemSurroundings));
        let mut registry = Registry::new();
        let surroundings = Arc::new(SystemSurroundings);
        registry.open("wechat", settings, line_to(&gateway), surroundings)?;
        let routes = [(Channel::Wechat, "wechat")];
        let channels = Channels::new(registry, routes.into(), Some(SERVER_URL.to_owned()));
        Shop::open_with(folder, customers, gateway, channels).await
    }

    async fn open_with(
        folder: &Path,
        customers: usize,
        gateway: Simulator,
        channels: Channels,
    ) -> Outcome<Shop> {
        let server = Server::open(ServerOptions {
            path: folder.join("ledger.db"),
            key: Some([6; 32]),
            clock: Arc::new(SystemClock),
            channels,
        })?;
        let members = customers + MEMBERS_SPARE;
        let seeded = sample::seed(&server, ShopKind::Gym, members, 1).await?;
        let premises = Arc::new(Premises {
            folder: folder.to_owned(),
            keys: FileKeyHolder::new(folder),
            server: server.clone(),
            tenant: seeded.tenant,
        });
        let desk = Desk::new(premises, Arc::new(Machine::new()));
        Arc::clone(&desk).start().await;
        let shop = Shop {
            desk,
            server,
            gateway,
            tenant: seeded.tenant,
        };
        shop.open_shift().await?;
        Ok(shop)
    }

    async fn open_shift(&self) -> Outcome<()> {
        let status = self.desk.boot_status(()).await.map_err(told)?;
        if status.state != BootState::Ready {
            return Err(format!("the desk does not open: {:?}", status.state).into());
        }
        let (staff_no, pin, _) = TRAINING_STAFF[0];
        let session = self.desk.session(()).await.map_err(told)?;
        let cashier = session.staff.iter().find(|tile| tile.staff_no == staff_no);
        let request = SignIn {
            staff_id: cashier.ok_or("the sample shop has no cashier")?.id.clone(),
            pin: pin.to_owned(),
        };
        self.desk.sign_in(request).await.map_err(told)?;
        let counts = vec![(Fen(10_000), 5)];
        self.desk
            .open_shift(OpenShift { counts })
            .await
            .map_err(told)?;
        Ok(())
    }

    /// As many active members.
    pub fn customers(&self, count: usize) -> Outcome<Vec<MemberId>> {
        let limit = u32::try_from(count + MEMBERS_SPARE)?;
        let rows = self
            .server
            .ledger()
            .member_page(self.tenant, None, limit)?
            .into_iter()
            .map(|row| row.member)
            .filter(|member| member.status == MemberStatus::Active);
        let customers: Vec<MemberId> = rows.map(|member| member.id).take(count).collect();
        if customers.len() < count {
            return Err("too few members of the sample shop are active".into());
        }
        Ok(customers)
    }

    /// The first offer to `member`, priced for `channel`.
    pub async fn quote(
        &self,
        member: MemberId,
        channel: ChannelView,
    ) -> Outcome<(TopUpForm, QuoteView)> {
        let member_id = member.0.to_string();
        let key = MemberKey {
            member_id: member_id.clone(),
        };
        let form = self.desk.top_up_form(key).await.map_err(told)?;
        let offer = form.offers.first().ok_or("nothing is on offer")?;
        let request = QuoteRequest {
            intent: form.intent.clone(),
            member_id,
            choice: offer.choice.clone(),
            channel,
            cash_part: String::new(),
        };
        let quote = self.desk.quote(request).await.map_err(told)?;
        Ok((form, quote))
    }

    /// Waits until everything is confirmed and printed.
    pub async fn at_rest(&self) -> Outcome<()> {
        let at_rest = || async {
            let queue = self
                .desk
                .queue(())
                .await
                .map_err(|error| Fault::Unexpected(format!("{error:?}")))?;
            let printing = queue
                .prints
                .iter()
                .any(|job| matches!(job.state, PrintState::Queued | PrintState::Printing));
            let synced = queue.sync.state == SyncState::Synced && queue.sync.pending == 0;
            Ok((synced && !printing).then_some(()))
        };
        match until("the counter to come to rest", PATIENCE, at_rest).await {
            Ok(()) => Ok(()),
            Err(fault) => Err(format!("{fault}: {:?}", self.desk.queue(()).await).into()),
        }
    }
}

fn line_to(gateway: &Simulator) -> Arc<RouterTransport> {
    let router = serve::router(gateway.clone());
    Arc::new(RouterTransport::new(router, ANSWER_WITHIN))
}

/// The error of a call, in words.
pub fn told(error: CallError) -> String {
    format!("the counter refused: {error:?}")
}

/// What the machine gives to the desk.
struct Premises {
    folder: PathBuf,
    keys: FileKeyHolder,
    server: Server,
    tenant: TenantId,
}

#[async_trait]
impl Host for Premises {
    fn folder(&self) -> &Path {
        &self.folder
    }

    fn key_holder(&self) -> &dyn KeyHolder {
        &self.keys
    }

    async fn link(
        &self,
        _secrets: &Secrets,
        _known: Known,
        public_key: [u8; 32],
    ) -> Result<Link, TroubleCause> {
        let joined = self.server.enrol_local(self.tenant, public_key, "01").await;
        let joined = joined.map_err(|_| TroubleCause::ServerUnreachable)?;
        Ok(Link {
            transport: Arc::new(InProcessTransport::<_, Full<Bytes>>::new(
                self.server.router(),
            )),
            joined,
            server: None,
            training: Some(Training {
                pins: Vec::new(),
                phone_url: String::new(),
            }),
            books_here: false,
        })
    }
}
