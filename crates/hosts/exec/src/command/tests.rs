//! Mistakes in a table are reported with kind and key. A valid table becomes a kind, a form and an argument vector.

use super::*;
use serde_json::json;

fn one(table: &str) -> Result<Declared, String> {
    let config = ExecConfig::from_toml(&format!("[exec.t]\n{table}")).map_err(|e| e.to_string())?;
    let mut all = declare(&config, Path::new("/srv")).map_err(|e| e.to_string())?;
    Ok(all.remove(0))
}

fn vector_of(declared: &Declared, params: Value) -> Vec<String> {
    let form = Form::from_schema(&declared.spec.params).unwrap();
    let Value::Object(params) = form.check(&params).unwrap() else { panic!("an object") };
    declared.fill(&params).0
}

#[test]
fn an_argument_contains_exactly_the_text() {
    let say =
        one("command = [\"say\", \"{text}\"]\nparams.text = {type = \"text\", default = \"hi\"}").unwrap();
    assert_eq!(vector_of(&say, json!({"text": " lead \t"})), ["say", " lead \t"]);
    assert_eq!(vector_of(&say, json!({"text": ""})), ["say", ""]);
    assert_eq!(vector_of(&say, json!({})), ["say", "hi"]);
}

#[test]
fn a_mistake_is_named_with_its_kind_and_key_and_a_correction() {
    let cases = [
        ("titel = \"x\"\ncommand = [\"ls\"]", &["exec.t", "titel", "title"][..]),
        ("title = \"x\"", &["exec.t", "command"]),
        ("command = \"ls -l\"", &["exec.t", "'command'", "string"]),
        ("command = []", &["exec.t", "'command'", "start with the program"]),
        ("command = [1]", &["exec.t", "'command'", "neither a string"]),
        ("command = [\"{p}\"]\nparams.p = {type = \"text\"}", &["'command'", "can't contain a parameter"]),
        ("command = [[\"a\", \"b\"]]", &["'command'", "inside a list"]),
        (
            "command = [\"ls\", \"{nn}\"]\nparams.n = {type = \"text\"}",
            &["'command'", "'nn'", "Did you mean {n}?"],
        ),
        ("command = [\"ls\", \"{n\"]\nparams.n = {type = \"text\"}", &["'command'", "unclosed"]),
        ("command = [\"ls\"]\nparams.n = {type = \"text\"}", &["'params.n'", "unused parameter"]),
        ("command = [\"ls\", \"{n}\"]\nparams.n = {type = \"txt\"}", &["'params.n.type'", "txt", "text"]),
        ("command = [\"ls\", \"{n}\"]\nparams.n = {type = \"text\", mx = 1}", &["'params.n", "mx", "max"]),
        (
            "command = [\"ls\", \"{n}\"]\nparams.n = {type = \"integer\", max = 3, default = 4}",
            &["'params.n.default'", "'4' is not a whole number of at most 3"],
        ),
        (
            "command = [\"ls\", \"{n}\"]\nparams.n = {type = \"integer\", default = \"a\"}",
            &["'params.n.default'"],
        ),
        ("command = [\"ls\", \"{N}\"]\nparams.N = {type = \"text\"}", &["'params.N'", "lowercase"]),
        ("command = [\"ls\"]\nmax_parallel = 0", &["'max_parallel'"]),
        ("command = [\"ls\"]\nmemory_mb = 0", &["'memory_mb'"]),
        ("command = [\"ls\"]\nwall_seconds = -1", &["'wall_seconds'"]),
        ("command = [\"ls\"]\nwall_seconds = \"1h\"", &["'wall_seconds'", "1h"]),
        ("command = [\"ls\"]\nnice = -5", &["'nice'"]),
        ("command = [\"ls\"]\nprogress = \"bars\"", &["'progress'", "bars", "tqdm"]),
        ("command = [\"ls\"]\nprogress = {regex = \"(\"}", &["'progress.regex'"]),
        ("command = [\"ls\"]\nseries.loss = {colour = \"red\"}", &["'series.loss", "colour", "unit"]),
        ("command = [\"ls\"]\nset_env = {SIGNALBOX_OPERATION = \"x\"}", &["'set_env.SIGNALBOX_OPERATION'"]),
        ("command = [\"ls\"]\nenv = [\"A=B\"]", &["'env'", "A=B"]),
        ("command = [\"ls\"]\nsummary = \"{m}\"", &["'summary'", "'m'"]),
        ("command = [\"ls\"]\nsandbox = {}", &["'folder'", "Name that folder"]),
        ("command = [\"ls\"]\nfolder = \"a\"\nsandbox = {reed = []}", &["'sandbox", "reed", "read"]),
        (
            "command = [\"ls\"]\nfolder = \"a\"\nsandbox = {network = \"lan\"}",
            &["'sandbox.network'", "loopback"],
        ),
        ("command = [\"ls\"]\nfolder = \"a\"\nsandbox = {write = [\"\"]}", &["'sandbox.write'"]),
        ("command = [\"ls\"]\nfolder = \"a\"\nsandbox = {pids_max = 0}", &["'sandbox.pids_max'"]),
    ];
    for (table, words) in cases {
        let error = one(table).expect_err(table);
        for word in words {
            assert!(error.contains(word), "{table}\ngives: {error}\nwithout: {word}");
        }
    }
    let error = ExecConfig::from_toml("[exec.Bad]\ncommand = [\"ls\"]").unwrap();
    assert!(declare(&error, Path::new("/")).unwrap_err().to_string().contains("exec.Bad"));
    assert!(ExecConfig::from_toml("[exce.t]\ncommand = [\"ls\"]").unwrap_err().to_string().contains("exce"));
}

#[test]
fn a_table_becomes_a_kind_with_its_params_in_order() {
    let declared = one(r#"
        command = ["python3", "fit.py", "--n={n}", ["--seed", "{seed}"], "{dry}", "{mode}"]
        folder = "models"
        phases = ["fit"]
        params.n = {type = "integer", default = 10, min = 1, max = 100, help = "How many", examples = ["5"]}
        params.seed = {type = "integer", title = "Random seed"}
        params.dry = {type = "switch", flag = "--dry-run"}
        params.mode = {type = "choice", choices = ["fast", "exact"], required = true}
        series.loss = {unit = "nats", x = "epoch"}
    "#)
    .unwrap();
    assert_eq!((declared.spec.name.as_str(), declared.spec.title.as_str()), ("exec.t", "T"));
    assert_eq!(declared.folder, Path::new("/srv/models"));
    assert_eq!(declared.spec.summary.0, "n {n} · seed {seed} · dry {dry}");
    assert_eq!(
        (declared.spec.series[0].title.as_str(), declared.spec.series[0].unit.as_str()),
        ("Loss", "nats")
    );
    let form = Form::from_schema(&declared.spec.params).unwrap();
    let fields: Vec<_> = form.fields.iter().map(|f| (f.name.as_str(), f.required)).collect();
    assert_eq!(fields, [("n", false), ("seed", false), ("dry", false), ("mode", true)]);
    assert_eq!(form.fields[1].title, "Random seed");
    assert!(form.check(&json!({"mode": "fast", "n": 101})).is_err());

    assert_eq!(vector_of(&declared, json!({"mode": "fast"})), ["python3", "fit.py", "--n=10", "fast"]);
    let all = vector_of(&declared, json!({"mode": "exact", "n": 3, "seed": -1, "dry": true}));
    assert_eq!(all, ["python3", "fit.py", "--n=3", "--seed", "-1", "--dry-run", "exact"]);
}

#[test]
fn environment_values_can_have_placeholders() {
    let declared =
        one("command = [\"ls\"]\nset_env = {A = \"x{n}\", B = \"b\"}\nparams.n = {type = \"integer\"}")
            .unwrap();
    let env = |params: Value| declared.fill(params.as_object().unwrap()).1;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(env(json!({"n": 3})), [pair("A", "x3"), pair("B", "b")]);
    assert_eq!(env(json!({})), [pair("B", "b")]);
}

#[test]
fn a_secret_param_is_passed_in_the_environment_only() {
    const SECRET: &str = "params.token = {type = \"text\", secret = true, required = true}";
    let with = |rest: &str| one(&format!("{rest}\n{SECRET}\nparams.n = {{type = \"integer\"}}"));
    let used = "set_env = {TOKEN = \"{token}\", N = \"{n}\"}";
    let declared = with(&format!("command = [\"ls\"]\n{used}")).unwrap();
    assert_eq!(declared.spec.summary.0, "n {n}", "the title has no secret");
    assert!(Form::from_schema(&declared.spec.params).unwrap().is_secret("token"));
    let params = json!({"token": " hunter2 ", "n": 3});
    let (vector, env) = declared.fill(params.as_object().unwrap());
    assert_eq!(vector, ["ls"]);
    assert!(env.contains(&("TOKEN".to_owned(), " hunter2 ".to_owned())));

    let error = with(&format!("command = [\"curl\", [\"-u\", \"me:{{token}}\"]]\n{used}")).unwrap_err();
    assert!(error.starts_with("exec.t, key 'command'"), "{error}");
    assert!(error.contains("set_env = { TOKEN = \"{token}\" }"), "{error}");
    let error = with(&format!("command = [\"ls\"]\nsummary = \"{{token}}\"\n{used}")).unwrap_err();
    assert!(error.starts_with("exec.t, key 'summary'"), "{error}");
    let error = with("command = [\"ls\", \"{n}\"]").unwrap_err();
    assert!(error.contains("'params.token'") && error.contains("Use {token} in 'set_env'"), "{error}");
}

#[test]
fn a_start_with_a_missing_program_or_option_like_text_is_rejected() {
    let declared = one("command = [\"no-such-tool\", \"{p}\", \"--as={q}\"]\nfolder = \"/\"\nparams.p = {type = \"text\"}\nparams.q = {type = \"text\"}").unwrap();
    let Value::Object(params) = json!({"p": "-rf", "q": "-rf"}) else { panic!() };
    let errors = declared.check(&params).unwrap_err();
    let fields: Vec<_> = errors.iter().map(|e| e.field.as_str()).collect();
    assert_eq!(fields, ["", "p"]);
    assert!(errors[0].message.contains("no-such-tool"), "{}", errors[0].message);
}
