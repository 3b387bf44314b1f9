//! The session check: what one request with the token of a session costs the server, against an axum that says hello.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::routing::get;
use axum::{Json, Router};
use rightful_testkit::process::Running;
use serde_json::json;

use crate::http::{self, Connection};
use crate::measure::{Measure, median, rounded};
use crate::server::{PASSWORD, Premises, cpu_of, hash_of_all, null_cost};
use crate::{Bench, Task};

const MEASURE: &str = "session-check";

/// What a request costs that asks who is signed in.
pub(crate) const BENCH: Bench = Bench {
    measures: &[MEASURE],
    run: |task| crate::runtime()?.block_on(run(task)),
};

/// The call that answers who is signed in.
const WHO: &str = "/api/v1/session";

/// Connections at once, one request after the other on each.
const CLIENTS: usize = 8;

/// How the line begins that a server of the bound says first.
const SERVES: &str = "hello on ";

/// Says hello, as the guides of axum do, until it is killed.
pub(crate) fn hello() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let router = Router::new().route("/", get(async || Json(json!({ "hello": "world" }))));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        eprintln!("{SERVES}{}", listener.local_addr()?);
        Ok(axum::serve(listener, router).await?)
    })
}

async fn start_hello() -> Result<(Running, SocketAddr)> {
    let own = std::env::current_exe().context("this program cannot find itself")?;
    let running = Running::start(Command::new(own).args(["--child", "hello"]));
    let said = rightful_testkit::process::until("the bound serves", || {
        let said = running.stderr();
        let (line, _) = said.strip_prefix(SERVES)?.split_once('\n')?;
        Some(line.to_owned())
    });
    Ok((
        running,
        said.parse().context("the bound does not say where it listens")?,
    ))
}

async fn run(task: &Task<'_>) -> Result<Vec<Measure>> {
    let premises = Premises::new()?;
    let name = "anna@example.org";
    let hash = hash_of_all(null_cost()?)?;
    premises.import(std::iter::once((name.to_owned(), hash.as_str())))?;
    let server = premises.serve().await?;
    let attempt = json!({ "identifier": name, "password": PASSWORD });
    let request = http::post(server.address, "/api/v1/sign-in", "192.0.2.7", &attempt);
    let opened = Connection::open(server.address).await?.ask(&request).await?.ok()?;
    let token = opened["token"].as_str().context("the sign-in opened no session")?;
    let (bound, bound_address) = start_hello().await?;
    let ours = http::get(server.address, WHO, token);
    let hello = http::get(bound_address, "/", token);
    let time = Duration::from_secs(task.pick(2, 5));
    let (mut of_ours, mut of_hello, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=task.pick(3, 7) {
        let cpu = server.cpu()?;
        let asked = ask_for(time, server.address, &ours).await?;
        let ours = (server.cpu()? - cpu) / asked as f64;
        let cpu = cpu_of(&bound)?;
        let asked = ask_for(time, bound_address, &hello).await?;
        let hello = (cpu_of(&bound)? - cpu) / asked as f64;
        // The first only warms up.
        if round > 0 {
            of_ours.push(ours * 1e6);
            of_hello.push(hello * 1e6);
            ratios.push(ours / hello);
        }
    }
    Ok(vec![
        Measure::of(MEASURE, rounded(median(of_ours)), "us of CPU")
            .in_rounds(rounded(median(of_hello)), median(ratios))
            .ratio_at_most(2.0)
            .with("clients", CLIENTS)
            .with("path", WHO),
    ])
}

/// Asks for so long on all connections; how many answers there were.
async fn ask_for(time: Duration, to: SocketAddr, request: &[u8]) -> Result<u64> {
    let end = Instant::now() + time;
    let client = |request: Vec<u8>| async move {
        let mut connection = Connection::open(to).await?;
        let mut asked = 0_u64;
        while Instant::now() < end {
            let answer = connection.ask(&request).await?;
            ensure!(answer.status == 200, "the server answered {}", answer.status);
            asked += 1;
        }
        Ok::<_, anyhow::Error>(asked)
    };
    let clients: Vec<_> = (0..CLIENTS).map(|_| tokio::spawn(client(request.to_vec()))).collect();
    let mut asked = 0;
    for client in clients {
        asked += client.await??;
    }
    Ok(asked)
}
