//! Build script of the desktop application: checks that the window's pages are built, then lets
//! tauri-build read the configuration and the window's permissions.

fn main() {
    #[cfg(feature = "desktop")]
    window();
}

#[cfg(feature = "desktop")]
fn window() {
    const PAGES: &str = "ui/dist/index.html";
    println!("cargo:rerun-if-changed={PAGES}");
    assert!(
        std::path::Path::new(PAGES).exists(),
        "{PAGES} is missing: the window's pages are not built yet.\n\
         Run `cargo xtask run`, or `npm ci && npm run build` in ui/, and build again.\n\
         (`--no-default-features` builds everything except the window.)"
    );
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("src-tauri/capabilities/*.json")
        .app_manifest(
            tauri_build::AppManifest::new()
                .permissions_path_pattern("src-tauri/permissions/*.toml"),
        );
    if let Err(error) = tauri_build::try_build(attributes) {
        panic!("tauri-build: {error:#}");
    }
}
