//! Runs rsigma over a file of events as bench/peers/ours.c runs our engine, and prints one line of figures.
//!
//! Same options, same output, same way of measuring: CPU time (user + system) of this process, from the first byte of
//! the first event to the last answer. Events are read in stretches, so that neither side's memory holds the file.
use rsigma_eval::{CorrelationConfig, CorrelationEngine, Engine, JsonEvent, LogSourceExtractor, TimestampFallback};
use rsigma_parser::{SigmaCollection, parse_sigma_directory, parse_sigma_file};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

const VERSION: &str = "rsigma 0.26.0";

#[derive(Default)]
struct Options {
    rules: Vec<String>,
    events: String,
    windows: bool,
    parsed: bool,
    logsource: bool,
    out: Option<String>,
    groups_max: usize,
    cpu_max_s: f64,
}

#[derive(Default)]
struct Totals {
    events: u64,
    matches: u64,
    alerts: u64,
}

enum Under {
    Match(Box<Engine>),
    Windows(Box<CorrelationEngine>),
}

fn fail(text: String) -> ! {
    eprintln!("peer_rsigma: {text}");
    std::process::exit(2);
}

fn cpu_s() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call only writes to `t`.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 + t.tv_nsec as f64 / 1e9
}

fn peak_kb() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with("VmHWM:")).unwrap_or("VmHWM: 0 kB");
    line.split_whitespace().nth(1).and_then(|t| t.parse().ok()).unwrap_or(0)
}

fn options() -> Options {
    let mut o = Options::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().unwrap_or_else(|| fail(format!("{arg} needs a value")));
        match arg.as_str() {
            "--rules" => o.rules.push(value()),
            "--events" => o.events = value(),
            "--windows" => o.windows = true,
            "--parsed" => o.parsed = true,
            "--logsource" => o.logsource = true,
            "--out" => o.out = Some(value()),
            "--groups-max" => o.groups_max = value().parse().unwrap_or(0),
            "--cpu-max" => o.cpu_max_s = value().parse().unwrap_or(0.0),
            _ => fail(format!("unknown option {arg}")),
        }
    }
    o
}

fn load(paths: &[String]) -> SigmaCollection {
    let mut all = SigmaCollection::default();
    for path in paths {
        let path = Path::new(path);
        let one = if path.is_dir() { parse_sigma_directory(path) } else { parse_sigma_file(path) };
        let one = one.unwrap_or_else(|e| fail(format!("{}: {e}", path.display())));
        for e in one.errors() {
            eprintln!("peer_rsigma: {}: {e}", path.display());
        }
        all.rules.extend(one.rules);
        all.correlations.extend(one.correlations);
        all.filters.extend(one.filters);
    }
    all
}

fn build(o: &Options, rules: &SigmaCollection) -> Under {
    let extractor = o.logsource.then(LogSourceExtractor::new);
    if !o.windows {
        let mut e = Engine::new();
        e.set_logsource_extractor(extractor);
        e.add_collection(rules).unwrap_or_else(|e| fail(e.to_string()));
        return Under::Match(Box::new(e));
    }
    let mut config = CorrelationConfig {
        timestamp_fields: vec!["time".to_string()],
        timestamp_fallback: TimestampFallback::Skip,
        ..CorrelationConfig::default()
    };
    if o.groups_max > 0 {
        config.max_state_entries = o.groups_max;
    }
    let mut e = CorrelationEngine::new(config);
    e.set_logsource_extractor(extractor);
    e.add_collection(rules).unwrap_or_else(|e| fail(e.to_string()));
    Under::Windows(Box::new(e))
}

/// One event through the engine. `line` counts from 1.
fn step(engine: &mut Under, value: &serde_json::Value, line: u64, t: &mut Totals, out: &mut Option<BufWriter<File>>) {
    let event = JsonEvent::borrow(value);
    let results = match engine {
        Under::Match(e) => e.evaluate(&event),
        Under::Windows(e) => e.process_event(&event),
    };
    t.events += 1;
    for r in &results {
        let Some(c) = r.as_correlation() else {
            t.matches += 1;
            if let Some(f) = out {
                let id = r.header.rule_id.as_deref().unwrap_or(&r.header.rule_title);
                let _ = writeln!(f, "{{\"line\":{line},\"rule\":\"{id}\"}}");
            }
            continue;
        };
        t.alerts += 1;
        if let Some(f) = out {
            let group: Vec<&str> = c.group_key.iter().map(|(_, v)| v.as_str()).collect();
            let row = serde_json::json!({"line": line, "rule": r.header.rule_id, "group": group,
                "value": c.aggregated_value, "time": value["time"]});
            let _ = writeln!(f, "{row}");
        }
    }
}

fn main() {
    let o = options();
    let load_from = cpu_s();
    let rules = load(&o.rules);
    let mut engine = build(&o, &rules);
    let load_s = cpu_s() - load_from;
    let file = File::open(&o.events).unwrap_or_else(|e| fail(format!("{}: {e}", o.events)));
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut out = o.out.as_ref().map(|p| BufWriter::new(File::create(p).unwrap_or_else(|e| fail(format!("{p}: {e}")))));
    let mut t = Totals::default();
    let mut text = String::new();
    let mut line = 0;
    let mut kept = Vec::new();
    let from = cpu_s();
    let mut run_s = 0.0;
    let mut cut = false;
    loop {
        text.clear();
        if reader.read_line(&mut text).unwrap_or_else(|e| fail(e.to_string())) == 0 {
            break;
        }
        line += 1;
        let value: serde_json::Value =
            serde_json::from_str(&text).unwrap_or_else(|e| fail(format!("{}:{line}: {e}", o.events)));
        if o.parsed {
            kept.push(value);
            continue;
        }
        step(&mut engine, &value, line, &mut t, &mut out);
        if o.cpu_max_s > 0.0 && line % 256 == 0 && cpu_s() - from > o.cpu_max_s {
            cut = true;
            break;
        }
    }
    if o.parsed {
        let from = cpu_s();
        for (i, value) in kept.iter().enumerate() {
            step(&mut engine, value, i as u64 + 1, &mut t, &mut out);
        }
        run_s += cpu_s() - from;
    } else {
        run_s += cpu_s() - from;
    }
    println!(
        "{{\"engine\":\"{VERSION}\",\"events\":{},\"cpu_s\":{run_s:.6},\"load_s\":{load_s:.6},\"peak_kb\":{},\"rules\":{},\"matches\":{},\"alerts\":{},\"cut\":{cut}}}",
        t.events, peak_kb(), rules.rules.len() + rules.correlations.len(), t.matches, t.alerts
    );
}
