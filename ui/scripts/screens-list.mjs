// Each screen and state: where it starts, and the keys that lead there.

const pause = (page) => page.waitForTimeout(120);

async function type(page, text) {
  await page.keyboard.type(text, { delay: 5 });
  await pause(page);
}

async function serve(page, name) {
  await type(page, name);
  await page.keyboard.press("Enter");
  await pause(page);
}

const on =
  (name, ...keys) =>
  async (page) => {
    await serve(page, name);
    for (const key of keys) {
      await page.keyboard.press(key);
      await pause(page);
    }
  };

/** Moves the order on the screen to a stage, as the counter would. */
async function stage(page, change) {
  await page.evaluate((patch) => {
    const { demo } = globalThis;
    const order = demo.books.orders[0];
    Object.assign(order, patch);
    demo.emit({ kind: "order", order });
  }, change);
  await pause(page);
}

const paying = (change) => async (page) => {
  await on("张伟", "3", "w", "Enter")(page);
  await stage(page, change);
};

const failed = (key) => ({
  stage: "failed",
  qr: null,
  failure: { code: "ACQ.1004", message_key: key },
});

const refuse = (page, name, error) =>
  page.evaluate(([call, refusal]) => globalThis.demo.refuse(call, refusal), [name, error]);

/** The command bar with a line in it. */
const command = (line) => async (page) => {
  await page.keyboard.press("Control+k");
  await pause(page);
  await page.keyboard.insertText(line);
  await pause(page);
};

/** A part of the settings. */
async function settings(page, part) {
  await page.keyboard.press("F9");
  await page.getByRole("button", { name: part }).click();
  await pause(page);
}

/** A scanner: quick keys and Enter. */
async function scan(page, text) {
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
  await page.waitForTimeout(250);
}

export const SCREENS = {
  "01-opening": { scene: "opening" },
  "02-keep-code": { scene: "keep_code" },
  "02-keep-code-wrong": {
    scene: "keep_code",
    steps: async (page) => {
      await page.getByRole("textbox").fill("AAAA");
      await page.keyboard.press("Enter");
    },
  },
  "03-trouble-key-lost": { scene: "key_lost" },
  "03-trouble-wrong-code": {
    scene: "key_lost",
    steps: async (page) => {
      await page.getByRole("textbox").fill("ZZZZ");
      await page.keyboard.press("Enter");
    },
  },
  "03-trouble-unreadable": { scene: "database_unreadable" },
  "03-trouble-corrupt": { scene: "database_corrupt" },
  "03-trouble-vault": { scene: "vault_corrupt" },
  "03-trouble-disk": { scene: "disk_full" },
  "03-trouble-newer": { scene: "newer_version" },
  "03-trouble-folder": { scene: "folder_unusable" },
  "03-first-start": { scene: "first_start" },
  "03-first-start-join": {
    scene: "first_start",
    steps: (page) => page.getByRole("button", { name: /加入已有门店|Join a shop/ }).click(),
  },
  "03-first-start-shop": { scene: "first_start_shop" },
  "03-first-start-code": { scene: "first_start_code" },
  "03-first-start-owner": { scene: "first_start_people" },
  "03-first-start-receipt": { scene: "first_start_receipt" },
  "03-first-start-printer": { scene: "first_start_printer" },
  "03-first-start-methods": { scene: "first_start_methods" },
  "03-first-start-shop-code": {
    scene: "first_start_methods",
    steps: (page) => page.locator("label", { hasText: /店码|Shop code/ }).click(),
  },
  "03-trouble-server": { scene: "server_unreachable" },
  "04-sign-in": { scene: "sign_in" },
  "04-sign-in-pin": {
    scene: "sign_in",
    steps: async (page, press) => {
      for (const key of ["1", "1", "0", "0"]) await press(key);
    },
  },
  "04-sign-in-wrong": {
    scene: "sign_in",
    steps: async (page, press) => {
      for (const key of ["1", "9", "9", "9", "9", "Enter"]) await press(key);
    },
  },
  "04-sign-in-locked": {
    scene: "sign_in",
    steps: async (page, press) => {
      await press("1");
      for (let turn = 0; turn < 5; turn++) {
        for (const key of ["9", "9", "Enter"]) await press(key);
        await pause(page);
      }
    },
  },
  "05-open-shift": {
    scene: "open_shift",
    steps: async (page) => {
      await type(page, "3");
      await page.keyboard.press("Enter");
      await type(page, "2");
      await page.keyboard.press("Enter");
      await type(page, "x");
    },
  },
  "06-idle": { scene: "counter" },
  "06-idle-clock-off": { scene: "clock_off" },
  "06-idle-clock-far": { scene: "clock_far" },
  "06-method-down": { scene: "channel_down", steps: on("张伟", "3") },
  "06-idle-open-orders": { scene: "unknown_elsewhere" },
  "07-search": { scene: "counter", steps: (page) => type(page, "5678") },
  "07-search-none": { scene: "counter", steps: (page) => type(page, "无此人") },
  "07-command": { scene: "counter", steps: command("") },
  "07-command-one": { scene: "counter", steps: command("张伟 充 300 微信") },
  "07-command-ask": { scene: "counter", steps: command("5678 充 500") },
  "07-command-long": { scene: "counter", steps: command("迪丽热巴充九十九万") },
  "07-command-other": { scene: "counter", steps: command("张伟 退 300") },
  "07-new-member": {
    scene: "counter",
    steps: async (page) => {
      await type(page, "13800001111");
      await page.keyboard.press("Enter");
      await pause(page);
      await type(page, "张伟");
    },
  },
  "07-new-member-known": {
    scene: "counter",
    steps: async (page) => {
      await page.keyboard.press("Control+n");
      await pause(page);
      await type(page, "13800005678");
    },
  },
  "07-new-member-wrong": {
    scene: "counter",
    steps: async (page) => {
      await page.keyboard.press("Control+n");
      await pause(page);
      await type(page, "2");
      await page.keyboard.press("Tab");
      await page.keyboard.insertText("小美😀");
      await pause(page);
    },
  },
  "08-member": { scene: "counter", steps: on("张伟") },
  "08-member-page": { scene: "counter", steps: on("张伟", "F4") },
  "08-member-page-long": { scene: "counter", steps: on("迪丽热巴", "F4") },
  "08-member-long": { scene: "counter", steps: on("迪丽热巴", "6") },
  "08-member-inactive": { scene: "counter", steps: on("解放") },
  "09-qr-chosen": { scene: "counter", steps: on("张伟", "3", "w") },
  "09-cash-upgrade": {
    scene: "counter",
    steps: async (page) => {
      await on("张伟", "4", "c")(page);
      await type(page, "2100");
    },
  },
  "09-card": { scene: "counter", steps: on("张伟", "2", "k") },
  "09-card-refused": {
    scene: "counter",
    steps: async (page) => {
      await on("张伟", "2", "k")(page);
      await page.keyboard.insertText("凭证 0001");
      await page.keyboard.press("Enter");
      await pause(page);
    },
  },
  "09-card-used": {
    scene: "counter",
    steps: async (page) => {
      await page.evaluate(() => (globalThis.demo.books.orders[0].channel_txn_no = "000123"));
      await on("张伟", "2", "k")(page);
      await type(page, "000123");
      await page.keyboard.press("Enter");
      await pause(page);
    },
  },
  "09-transfer-offline": { scene: "offline", steps: on("张伟", "2", "t") },
  "09-shop-code-chosen": { scene: "shop_code", steps: on("张伟", "2", "s") },
  "09-shop-code": { scene: "shop_code", steps: on("张伟", "2", "s", "Enter") },
  "09-shop-code-long": { scene: "shop_code", steps: on("迪丽热巴", "6", "s", "Enter") },
  "09-cash-short": {
    scene: "counter",
    steps: async (page) => {
      await on("张伟", "4", "c")(page);
      await type(page, "100");
      await page.keyboard.press("Enter");
    },
  },
  "09-custom": {
    scene: "counter",
    steps: async (page) => {
      await on("张伟", "0")(page);
      await type(page, "1200");
    },
  },
  "09-custom-wrong": {
    scene: "counter",
    steps: async (page) => {
      await on("张伟", "0")(page);
      await page.getByRole("textbox", { name: /自定义|Other/ }).fill("三百");
    },
  },
  "09-limit": {
    scene: "counter",
    steps: async (page) => {
      await on("张伟", "0")(page);
      await type(page, "8000");
    },
  },
  "09-offline": { scene: "offline", steps: on("张伟", "1") },
  "09-refused": {
    scene: "counter",
    steps: async (page) => {
      await on("张伟", "3", "w")(page);
      await refuse(page, "start_qr", {
        code: "server_unreachable",
        message_key: "error.server_unreachable",
      });
      await page.keyboard.press("Enter");
    },
  },
  "09-guide-amount": { scene: "counter", query: "guide=always", steps: on("张伟") },
  "09-guide-method": { scene: "counter", query: "guide=always", steps: on("张伟", "3") },
  "09-guide-confirm": { scene: "counter", query: "guide=always", steps: on("张伟", "3", "w") },
  "09-guide-cash": { scene: "counter", query: "guide=always", steps: on("张伟", "4", "c") },
  "09-guide-long": { scene: "counter", query: "guide=always", steps: on("迪丽热巴", "6", "c") },
  "09-pad-amount": { scene: "counter", query: "pad=always", steps: on("张伟", "0") },
  "09-pad-cash": { scene: "counter", query: "pad=always", steps: on("张伟", "4", "c") },
  "09-pad-guide": {
    scene: "counter",
    query: "pad=always&guide=always",
    steps: on("迪丽热巴", "6", "c"),
  },
  "09-pad-manager": {
    scene: "offline",
    query: "pad=always",
    steps: async (page) => {
      await on("张伟", "0")(page);
      await type(page, "1500");
      await page.keyboard.press("Enter");
    },
  },
  "05-open-shift-pad": { scene: "open_shift", query: "pad=always" },
  "08-low-balance": {
    scene: "counter",
    steps: async (page) => {
      await page.evaluate(() => {
        globalThis.demo.books.session.settings.low_balance_fen = 50_000;
      });
      await on("曾可")(page);
    },
  },
  "09-scan-chosen": {
    scene: "counter",
    steps: async (page) => {
      await on("张伟")(page);
      await scan(page, "QT:AMT:300");
    },
  },
  "10-duplicate": {
    scene: "counter",
    steps: async (page) => {
      await on("张伟", "3", "w")(page);
      await refuse(page, "start_qr", {
        code: "duplicate_suspected",
        message_key: "error.duplicate_suspected",
      });
      await page.keyboard.press("Enter");
    },
  },
  "10-changed": {
    scene: "counter",
    steps: async (page) => {
      await on("张伟", "3", "w")(page);
      await refuse(page, "start_qr", { code: "quote_changed", message_key: "error.quote_changed" });
      await page.evaluate(() => {
        const { demo } = globalThis;
        demo.books.members[0].available_fen -= 5000;
      });
      await page.keyboard.press("Enter");
    },
  },
  "11-opening": { scene: "counter", steps: paying({ stage: "opening", qr: null }) },
  "11-preparing": { scene: "counter", steps: paying({ stage: "preparing", qr: null }) },
  "11-review": { scene: "counter", steps: paying({ stage: "review", qr: null }) },
  "12-waiting": { scene: "counter", steps: paying({}) },
  "12-user-paying": { scene: "counter", steps: paying({ stage: "user_paying" }) },
  "12-cancel-question": {
    scene: "counter",
    steps: async (page) => {
      await paying({ stage: "user_paying" })(page);
      await page.keyboard.press("Escape");
    },
  },
  "13-unknown": { scene: "counter", steps: paying({ stage: "unknown", qr: null }) },
  "13-cut-off": {
    scene: "counter",
    steps: async (page) => {
      await paying({})(page);
      await page.evaluate(() =>
        globalThis.demo.sync({
          state: "offline",
          pending: 1,
          oldest_ms: Date.now(),
          last_contact_ms: Date.now(),
        }),
      );
    },
  },
  "13-cancelling": { scene: "counter", steps: paying({ stage: "cancelling", qr: null }) },
  "14-failed-balance": { scene: "counter", steps: paying(failed("decline.card_balance_short")) },
  "14-failed-risk": { scene: "counter", steps: paying(failed("decline.risk_control")) },
  "14-refused": {
    scene: "counter",
    steps: paying({
      stage: "refused",
      qr: null,
      failure: { code: "130", message_key: "error.limit_blocked" },
    }),
  },
  "14-paid": { scene: "counter", steps: paying({ stage: "paid", qr: null }) },
  "14-abnormal": {
    scene: "counter",
    steps: paying({ stage: "abnormal", abnormal: "late", qr: null }),
  },
  "14-abnormal-mismatch": {
    scene: "counter",
    steps: paying({ stage: "abnormal", abnormal: "mismatch", qr: null }),
  },
  "14-ended": { scene: "counter", steps: paying({ stage: "ended", qr: null }) },
  "15-success-qr": {
    scene: "counter",
    steps: async (page) => {
      await paying({ stage: "unknown", qr: null })(page);
      await page.keyboard.press("F5");
      await page.waitForTimeout(900);
    },
  },
  "15-success-card": {
    scene: "counter",
    steps: async (page) => {
      await on("张伟", "2", "k")(page);
      await type(page, "000123");
      await page.keyboard.press("Enter");
      await pause(page);
    },
  },
  "15-success-cash": {
    scene: "counter",
    steps: async (page) => {
      await on("张伟", "4", "c")(page);
      await type(page, "2100");
      await page.keyboard.press("Enter");
      await page.waitForTimeout(900);
    },
  },
  "15-success-provisional": {
    scene: "offline",
    steps: async (page) => {
      await on("张伟", "1", "Enter")(page);
      await page.waitForTimeout(900);
    },
  },
  "15-success-long": {
    scene: "counter",
    steps: async (page) => {
      await on("迪丽热巴", "6", "c", "Enter")(page);
      await page.waitForTimeout(900);
    },
  },
  "16-receipt": {
    scene: "counter",
    steps: async (page) => {
      await on("张伟", "4", "c", "Enter", "p")(page);
      await page.waitForTimeout(300);
    },
  },
  "16-reprint": {
    scene: "counter",
    steps: async (page) => {
      await on("张伟", "4", "c", "Enter", "p")(page);
      await page.waitForTimeout(300);
      await page.keyboard.press("r");
    },
  },
  "17-orders": { scene: "unknown_elsewhere", steps: (page) => page.keyboard.press("F7") },
  "17-cases": { scene: "cases", steps: (page) => page.keyboard.press("F11") },
  "17-cases-credit": {
    scene: "cases",
    steps: async (page) => {
      await page.keyboard.press("F11");
      await page
        .getByRole("button", { name: /^(现在入账：|Credit now: )/ })
        .first()
        .click();
      await type(page, "2001");
      await page.keyboard.press("Tab");
      await type(page, "0000");
      await page.keyboard.press("Enter");
      await pause(page);
    },
  },
  "17-cases-none": {
    scene: "cases",
    steps: async (page) => {
      await page.evaluate(() => (globalThis.demo.books.cases = { waiting: [], noted: [] }));
      await page.keyboard.press("F11");
    },
  },
  "18-queue": { scene: "offline", steps: (page) => page.keyboard.press("F8") },
  "18-queue-cancel": {
    scene: "offline",
    steps: async (page) => {
      await page.evaluate(() => {
        const { books, emit } = globalThis.demo;
        books.session.settings.printer.spare = {
          ...{ target: { kind: "folder", path: "/srv/slips" }, paper_mm: 80, glyphs: "gbk" },
        };
        emit.call(globalThis.demo, { kind: "session" });
      });
      await page.keyboard.press("F8");
      await page.getByRole("button", { name: /^(不打了：|Do not print: )CZ/ }).click();
    },
  },
  "18-second-copy": {
    scene: "counter",
    steps: async (page, press) => {
      await press("F9");
      await page.getByText(/^(第二份记录|Second copy)$/).click();
      await page.getByRole("textbox", { name: /文件夹|Folder/ }).fill("/gone/usb");
      await page.getByRole("button", { name: /试写并保存|Try and save/ }).click();
      await pause(page);
    },
  },
  "18-receipts-back": {
    scene: "counter",
    steps: async (page, press) => {
      await press("F8");
      await page.getByRole("button", { name: /找回小票|Bring back receipts/ }).click();
      await pause(page);
      for (const text of ["QT1:OTHER", "QT1:FORGED", "QT1:GONE-5", "QT1:KNOWN-2", "QT1:NEW-3"])
        await scan(page, text);
    },
  },
  "18-drawer": {
    scene: "counter",
    steps: (page) => page.getByRole("button", { name: /^(开钱箱|Open cash drawer)$/ }).click(),
  },
  "18-queue-empty": { scene: "counter", steps: (page) => page.keyboard.press("F8") },
  "19-settings": { scene: "counter", steps: (page) => page.keyboard.press("F9") },
  "19-settings-shop": {
    scene: "counter",
    steps: (page) => settings(page, /^(门店品牌|Brand of the shop)$/),
  },
  "19-settings-people": {
    scene: "counter",
    steps: (page) => settings(page, /^(员工|People)$/),
  },
  "19-settings-people-pin": {
    scene: "counter",
    steps: async (page) => {
      await settings(page, /^(员工|People)$/);
      await page.getByRole("button", { name: /^(给 陈静 换 PIN|New PIN for 陈静)$/ }).click();
      await pause(page);
    },
  },
  "19-settings-people-leave": {
    scene: "counter",
    steps: async (page) => {
      await settings(page, /^(员工|People)$/);
      await page.getByRole("button", { name: /^(陈静 离职|陈静 leaves)$/ }).click();
      await pause(page);
      await type(page, "2001");
      await page.keyboard.press("Tab");
      await type(page, "0000");
      await page.keyboard.press("Enter");
      await pause(page);
    },
  },
  "19-settings-receipt": {
    scene: "counter",
    steps: (page) => settings(page, /^(小票抬头|Receipt header)$/),
  },
  "19-settings-methods": {
    scene: "counter",
    steps: (page) => settings(page, /^(付款方式|Payment methods)$/),
  },
  "19-settings-printer": {
    scene: "counter",
    steps: (page) => settings(page, /^(小票打印机|Receipt printer)$/),
  },
  "19-settings-spooler": {
    scene: "counter",
    steps: async (page) => {
      await settings(page, /^(小票打印机|Receipt printer)$/);
      const label = (words) => page.locator("label", { hasText: words }).first();
      await label(/系统打印机|Printer of this computer/).click();
      await label(/另设一台备用打印机|A second printer for trouble/).click();
      await page
        .getByRole("button", { name: /^(打印测试页|Print a test page)$/ })
        .last()
        .click();
    },
  },
  "19-settings-selling": {
    scene: "counter",
    steps: async (page) => {
      await settings(page, /^(收银设置|Counter settings)$/);
      await page.getByLabel(/^(试一试|Try it)$/).focus();
      await type(page, "12345678");
      await page.keyboard.press("Enter");
      await pause(page);
    },
  },
  "19-settings-codes": {
    scene: "counter",
    steps: async (page) => {
      await settings(page, /^(收银设置|Counter settings)$/);
      await page.getByRole("button", { name: /打印金额码|Print amount codes/ }).click();
      await pause(page);
    },
  },
  "19-settings-accounts": {
    scene: "accounts_there",
    steps: async (page) => {
      await settings(page, /^(收款渠道|Payment channels)$/);
      await page.getByRole("button", { name: /^(检查支付宝|Check Alipay)$/ }).click();
      await pause(page);
    },
  },
  "19-settings-account-form": {
    scene: "accounts_here",
    steps: async (page) => {
      await settings(page, /^(收款渠道|Payment channels)$/);
      await page.getByRole("button", { name: /^(填写微信支付|Enter WeChat Pay)$/ }).click();
      await page.getByLabel(/^(APIv3 密钥|APIv3 key)$/).fill("too short");
      await page.getByLabel(/^(你的 PIN|Your PIN)$/).fill("2001");
      await page.keyboard.press("Enter");
      await pause(page);
    },
  },
  "19-settings-wrong": {
    scene: "counter",
    steps: async (page) => {
      await settings(page, /^(小票打印机|Receipt printer)$/);
      await page.getByLabel(/主机名|Host name/).fill("bad host/x");
      await page.getByLabel(/端口|Port/).fill("99999");
      await page.keyboard.press("Enter");
    },
  },
};
