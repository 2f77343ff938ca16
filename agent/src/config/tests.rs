//! Settings are understood, or it is said which are not.

use super::*;

fn parse(text: &str) -> anyhow::Result<Settings> {
    toml::from_str::<Config>(text)?.check()
}

#[test]
fn what_is_printed_can_be_read_again() {
    let config = Config { server: "lotse.example".into(), ..Config::default() };
    let text = toml::to_string(&config).unwrap();
    assert_eq!(toml::from_str::<Config>(&text).unwrap(), config);
}

#[test]
fn says_which_setting_is_wrong() {
    for (text, part) in [
        ("", "server"),
        ("server = \"x\"\nlanguage = \"tlh\"", "tlh"),
        ("server = \"x\"\n[keyboard]\nlayout = \"tlh\"", "keyboard.layout"),
        ("server = \"x\"\n[panel]\ncall_key = \"Any\"", "call_key"),
        ("server = \"x\"\n[panel]\nanswer_seconds = 1", "answer_seconds"),
        ("server = \"x\"\n[panel]\nmethod = \"magic\"", "panel.method"),
        ("server = \"x\"\n[screen]\nsource = \"magic\"", "screen.source"),
        ("server = \"x\"\n[screen]\nrotation = \"45\"", "screen.rotation"),
        ("server = \"x\"\n[screen]\ninput_rotation = \"up\"", "screen.input_rotation"),
        ("server = \"x\"\n[input]\ntouch = \"event3\"", "input.touch"),
        ("server = \"x\"\n[policy.levels]\nview = \"none\"", "none"),
        ("server = \"x\"\n[operator]\nroot = \"00\"", "operator.root"),
        ("servr = \"x\"", "servr"),
        ("server = \"x:99999\"", "port"),
    ] {
        let error = format!("{:#}", parse(text).unwrap_err());
        assert!(error.contains(part), "{text:?}: {error}");
    }
}

#[test]
fn the_call_key_has_the_kernels_number() {
    assert_eq!(parse("server = \"x\"").unwrap().call_key, KeyCode(88));
}

#[test]
fn a_display_may_be_mounted_on_its_side() {
    let settings = parse("server = \"x\"\n[screen]\nrotation = \"90\"").unwrap();
    assert_eq!(settings.machine.rotation, Some(Orientation::QUARTER));
    assert_eq!(settings.machine.input_rotation, None);
    assert_eq!(parse("server = \"x\"").unwrap().machine.rotation, None);
}
