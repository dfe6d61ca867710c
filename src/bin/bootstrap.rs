//! The Lambda function.

use std::pin::Pin;
use std::process::ExitCode;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use mailwright::facts::Timestamp;
use mailwright::flow::config::{Config, switched_off};
use mailwright::flow::directory::WorkMailDirectory;
use mailwright::flow::handler::{Handled, handle, handle_nothing, handle_with_directory};
use mailwright::flow::key::RulesObject;
use mailwright::flow::refresh::InForce;
use mailwright::flow::rule_sets::RuleSets;
use mailwright::flow::{aws, log, metrics};
use mailwright::pipeline::Pipeline;
use serde_json::Value;
use tokio::time::Instant;
use tracing::Instrument;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    log::start();
    let ran = match switched_off(&|name| std::env::var(name).ok()) {
        Some(off) => deliver_all(off.metrics.as_deref()).await,
        None => run().await,
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(target: "mailwright", %error, "the function cannot start");
            ExitCode::FAILURE
        }
    }
}

/// Switched off: no configuration is read, no rules, no message.
async fn deliver_all(metrics: Option<&str>) -> Result<(), Error> {
    tracing::warn!(target: "mailwright", "switched off by MAILWRIGHT_MODE: every message is delivered as it comes");
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let span = log::invocation(&event.context.request_id, event.context.xray_trace_id.as_deref());
        told(metrics, span.in_scope(|| handle_nothing(&event.payload)))
    }))
    .await
}

async fn run() -> Result<(), Error> {
    let config = &Config::from_env()?;
    let deployed = config.provisions().equip(Pipeline::load(&config.rules)?)?;
    let clients = aws::Clients::new(&config.environment);
    let directory = &config.directory.clone().map(|(organization, ages)| {
        let calls = aws::WorkMailCalls::new(clients.directory, organization);
        WorkMailDirectory::new(calls, config.organization.clone(), ages)
    });
    let rules = &rule_sets(config, deployed, &clients.s3);
    let flow = &aws::WorkMailFlow::new(clients.flow);
    let store = &aws::S3Store::new(clients.s3, config.bucket.clone()).with_attachments(config.attachments.clone());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let left = event.context.deadline().duration_since(std::time::SystemTime::now()).unwrap_or_default();
        let deadline = Instant::now() + left;
        let span = log::invocation(&event.context.request_id, event.context.xray_trace_id.as_deref());
        let (event, settings) = (&event.payload, &config.settings);
        let handled: Pin<Box<dyn Future<Output = Handled>>> = match directory {
            Some(from) => Box::pin(handle_with_directory(event, deadline, rules, flow, store, from, settings)),
            None => Box::pin(handle(event, deadline, rules, flow, store, settings)),
        };
        told(config.metrics.as_deref(), handled.instrument(span).await)
    }))
    .await
}

/// The rules that the function was deployed with, and what is published beside them.
fn rule_sets(config: &Config, deployed: Pipeline, s3: &aws_sdk_s3::Client) -> RuleSets<aws::S3Rules> {
    let store = |object: &RulesObject| aws::S3Rules::new(s3.clone(), object.clone());
    let every = config.published.every;
    let sets = match &config.published.current {
        Some(object) => {
            let in_force = InForce::new(deployed, store(object), config.provisions(), every);
            RuleSets::published(in_force, config.settings.on_error)
        }
        None => RuleSets::fixed(deployed),
    };
    match &config.published.candidate {
        Some((share, object)) => {
            sets.with_candidate(*share, InForce::candidate(store(object), config.provisions(), every))
        }
        None => sets,
    }
}

/// What the runtime is told, after the metrics are written.
fn told(namespace: Option<&str>, handled: Handled) -> Result<impl serde::Serialize, Diagnostic> {
    if let Some(namespace) = namespace {
        println!("{}", metrics::line(namespace, &handled.report, handled.answer.as_ref().err(), Timestamp::now()));
    }
    handled.answer.map_err(|e| Diagnostic { error_type: e.kind().to_owned(), error_message: e.to_string() })
}
