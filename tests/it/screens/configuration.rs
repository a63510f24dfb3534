//! The first steps, and what is wrong with a file or a command line.

use super::Transcript;
use crate::scene::Scene;

#[test]
fn init() {
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    screens.run(&["-c", "new.toml", "init", "--region", "eu-central-1"]).code(0);
    screens.run(&["-c", "new.toml", "init"]).code(2);
    screens.run(&["-c", "bad.toml", "init", "--region", "Frankfurt"]).code(2);
    screens.run(&["-c", "bad.toml", "init", "--state", "/there/is/no/such/folder"]).code(2);
    screens.run(&["policies", "print", "no-such"]).code(2);
    let written = std::fs::read_to_string(scene.path("new.toml")).expect("written");
    screens.note("new.toml", &written);
    screens.is("init");
}

#[test]
fn a_configuration_that_is_broken() {
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    screens.run(&["-c", "nowhere.toml", "run"]).code(2);
    for broken in [
        "region = \"eu-central-1\"\n",
        "mode = \"enfroce\"\n",
        "regions = [\"Frankfurt\"]\n",
        "mode = \"enforce\"\nprotected = [\"break-glass*\"]\n",
        "poll_interval = \"1\"\n",
        "concurrency = 0\n",
        "[member]\nexternal_id = \"x\"\n",
        "[budget]\nroles_percent = 101\n",
        "[[notify]]\nname = \"a\"\n",
        "[[notify]]\nname = \"a\"\nwebhook = \"ftp://x\"\n",
        "[events]\nqueue = \"q\"\n",
        "= 1\n",
    ] {
        std::fs::write(scene.path("broken.toml"), broken).expect("written");
        screens.note("broken.toml", broken);
        screens.run(&["-c", "broken.toml", "list"]).code(2);
    }
    for broken in [
        "[[opt_out]]\n",
        "[[opt_out]\n",
        "[[opt_out]]\nname = \"a\"\nowner = \"o\"\nreason = \"r\"\nmode = \"of\"\naccounts = [\"*\"]\n",
        "[[opt_out]]\nname = \"a\"\nowner = \"o\"\nreason = \"r\"\nmode = \"off\"\naccounts = [\"12\"]\npermanent = true\n",
        "[[opt_out]]\nname = \"a\"\nowner = \"o\"\nreason = \"r\"\nmode = \"off\"\npermanent = true\n",
    ] {
        std::fs::write(scene.path("opt-outs.toml"), broken).expect("written");
        screens.note("opt-outs.toml", broken);
        screens.run(&["opt-out", "list"]).code(2);
    }
    std::fs::remove_file(scene.path("opt-outs.toml")).expect("removed");
    scene.configure("mode = \"enforce\"\nopt_outs = \"reviewed.toml\"\n");
    screens.run(&["run", "--once"]).code(2);
    screens.run(&["handle", "nowhere.json"]).code(2);
    screens.run(&["handle", "."]).code(2);
    screens.is("configuration");
}
