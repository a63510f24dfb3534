//! The page on paper, as a browser prints it.

use super::ledger::Made;
use super::states::{need_a_person, need_nobody, twelve};
use rescind::remediation::Draft;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Number of pages that a browser prints of a report of these remediations.
fn printed(name: &str, stories: Vec<Vec<Draft>>, more: &[&str]) -> usize {
    let made = Made::of(stories);
    let (page, pdf) = (made.path("report.html"), made.path("report.pdf"));
    let done = Command::new(env!("CARGO_BIN_EXE_rescind"))
        .args(["report", "-o", "html", "--ledger"])
        .arg(made.path("ledger.db"))
        .arg("-O")
        .arg(&page)
        .args(more)
        .env_clear()
        .output()
        .expect("the binary runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    print(&page, &pdf, &made.path("profile"));
    if let Some(keep) = std::env::var_os("RESCIND_KEEP_PAPER").map(PathBuf::from) {
        std::fs::copy(&page, keep.join(format!("{name}.html"))).expect("kept");
        std::fs::copy(&pdf, keep.join(format!("{name}.pdf"))).expect("kept");
    }
    pages(&std::fs::read(pdf).expect("a PDF"))
}

fn print(page: &Path, pdf: &Path, profile: &Path) {
    let chromium = std::env::var_os("RESCIND_CHROMIUM").unwrap_or_else(|| "chromium".into());
    let done = Command::new(chromium)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--print-to-pdf={}", pdf.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("Chromium: `apt install chromium`, or RESCIND_CHROMIUM");
    assert!(pdf.exists(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// A page is an object of this type; the tree of them is another one.
fn pages(pdf: &[u8]) -> usize {
    let is_page = |at: &[u8]| at.starts_with(b"/Type /Page") && at.get(11) != Some(&b's');
    (0..pdf.len()).filter(|at| is_page(&pdf[*at..])).count()
}

/// Twelve remediations are read on about twelve pages, and the appendix is behind them for who wants it.
#[test]
#[ignore = "needs Chromium: `make browser-test`"]
fn a_browser_shows_twelve_remediations_on_about_twelve_pages() {
    let revoked = printed("twelve", twelve(), &[]);
    assert!((4..=13).contains(&revoked), "{revoked} pages");
    let several = need_a_person().into_iter().take(6).chain(need_nobody().into_iter().take(6)).collect();
    let several = printed("states", several, &[]);
    assert!((4..=13).contains(&several), "{several} pages");
    let proved = printed("appendix", twelve(), &["--appendix"]);
    assert!(proved > revoked, "{proved} pages");
}
