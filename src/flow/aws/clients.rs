//! SDK clients built by hand from the environment of the function: nothing is probed, one HTTP client for all.
//!
//! What `aws-config` would read is read here, as far as a Lambda function has it: credentials, Region, endpoint URLs.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::flow::key::Bucket;
use crate::stored::Signer;

/// A connection that takes longer is not coming.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(2_500);
/// Names of the certification authorities of AWS endpoints (<https://www.amazontrust.com/repository/>), as they stand in
/// the subject of a certificate.
const AMAZON_ROOTS: [&[u8]; 2] = [b"Amazon Root CA ", b"Starfield Services Root Certificate Authority"];

/// What the clients need, from environment variables.
#[derive(Debug, Clone)]
pub struct Environment {
    region: String,
    credentials: Credentials,
    flow_endpoint: Option<String>,
    s3_endpoint: Option<String>,
    directory_endpoint: Option<String>,
    roots: Option<Vec<u8>>,
}

/// A variable that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its name.
    pub variable: &'static str,
    /// What is wrong, and what to set.
    pub what: String,
}

/// All clients.
#[derive(Debug, Clone)]
pub struct Clients {
    /// WorkMail's message flow.
    pub flow: aws_sdk_workmailmessageflow::Client,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// WorkMail's directory.
    pub directory: aws_sdk_workmail::Client,
}

impl Environment {
    /// Read the variables; every problem is found.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let mut need = |name: &'static str, other: Option<String>| {
            set(name).or(other).unwrap_or_else(|| {
                problems.push(Problem { variable: name, what: "is not set; Lambda sets it".to_owned() });
                String::new()
            })
        };
        let region = need("AWS_REGION", set("AWS_DEFAULT_REGION"));
        let key_id = need("AWS_ACCESS_KEY_ID", None);
        let secret = need("AWS_SECRET_ACCESS_KEY", None);
        let credentials = Credentials::new(key_id, secret, set("AWS_SESSION_TOKEN"), None, "environment");
        let mut endpoint = |name: &'static str| {
            let value = set(name).or_else(|| set("AWS_ENDPOINT_URL"))?;
            if host(&value).is_none() {
                let what = "is not a URL such as https://host or http://localhost:4566".to_owned();
                problems.push(Problem { variable: name, what });
            }
            Some(value)
        };
        let flow_endpoint = endpoint("AWS_ENDPOINT_URL_WORKMAILMESSAGEFLOW");
        let s3_endpoint = endpoint("AWS_ENDPOINT_URL_S3");
        let directory_endpoint = endpoint("AWS_ENDPOINT_URL_WORKMAIL");
        let roots = set("SSL_CERT_FILE").and_then(|path| {
            let read = std::fs::read(&path).map_err(|error| error.to_string());
            let read = read.and_then(|pem| match memchr::memmem::find(&pem, b"-----BEGIN CERTIFICATE-----") {
                Some(_) => Ok(pem),
                None => Err("it holds no certificate in PEM".to_owned()),
            });
            let problem =
                |why| Problem { variable: "SSL_CERT_FILE", what: format!("names a file that cannot be used: {why}") };
            read.map_err(|why| problems.push(problem(why))).ok()
        });
        if problems.is_empty() {
            Ok(Self { region, credentials, flow_endpoint, s3_endpoint, directory_endpoint, roots })
        } else {
            Err(problems)
        }
    }
}

impl Environment {
    /// Signs links to the objects of a bucket.
    pub fn signer(&self, bucket: &Bucket) -> Signer {
        let base = match self.s3_endpoint.as_deref().map(|url| (url.trim_end_matches('/'), needs_path_style(url))) {
            Some((url, true)) => format!("{url}/{}", bucket.as_str()),
            Some((url, false)) => url.replacen("://", &format!("://{}.", bucket.as_str()), 1),
            None => {
                let end = if self.region.starts_with("cn-") { ".cn" } else { "" };
                format!("https://{}.s3.{}.amazonaws.com{end}", bucket.as_str(), self.region)
            }
        };
        Signer {
            base,
            region: self.region.clone(),
            key_id: self.credentials.access_key_id().to_owned(),
            secret: self.credentials.secret_access_key().to_owned(),
            token: self.credentials.session_token().map(str::to_owned),
        }
    }
}

impl Clients {
    /// Build them; connects to nothing.
    pub fn new(environment: &Environment) -> Self {
        use aws_sdk_workmail::config as directory;
        use {aws_sdk_s3::config as s3, aws_sdk_workmailmessageflow::config as flow};

        let http = http_client(environment.roots.clone());
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build();
        let flow = flow::Config::builder()
            .region(flow::Region::new(environment.region.clone()))
            .credentials_provider(environment.credentials.clone())
            .identity_cache(flow::IdentityCache::no_cache())
            .http_client(http.clone())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts.clone())
            .stalled_stream_protection(flow::StalledStreamProtectionConfig::disabled());
        let directory = directory::Config::builder()
            .region(directory::Region::new(environment.region.clone()))
            .credentials_provider(environment.credentials.clone())
            .identity_cache(directory::IdentityCache::no_cache())
            .http_client(http.clone())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts.clone())
            .stalled_stream_protection(directory::StalledStreamProtectionConfig::disabled());
        let s3 = s3::Config::builder()
            .region(s3::Region::new(environment.region.clone()))
            .credentials_provider(environment.credentials.clone())
            .identity_cache(s3::IdentityCache::no_cache())
            .http_client(http)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .stalled_stream_protection(s3::StalledStreamProtectionConfig::disabled())
            .force_path_style(environment.s3_endpoint.as_deref().is_some_and(needs_path_style));
        let flow = match &environment.flow_endpoint {
            Some(url) => flow.endpoint_url(url),
            None => flow,
        };
        let directory = match &environment.directory_endpoint {
            Some(url) => directory.endpoint_url(url),
            None => directory,
        };
        let s3 = match &environment.s3_endpoint {
            Some(url) => s3.endpoint_url(url),
            None => s3,
        };
        Self {
            flow: aws_sdk_workmailmessageflow::Client::from_conf(flow.build()),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            directory: aws_sdk_workmail::Client::from_conf(directory.build()),
        }
    }
}

/// TLS by rustls over ring, trusting `roots`, else Amazon's.
fn http_client(roots: Option<Vec<u8>>) -> SharedHttpClient {
    let roots = roots.unwrap_or_else(amazon_roots);
    let trusted = TrustStore::empty().with_pem_certificate(roots);
    let builder = aws_smithy_http_client::Builder::new().tls_provider(Provider::rustls(CryptoMode::Ring));
    match TlsContext::builder().with_trust_store(trusted).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        Err(_) => builder.build_https(),
    }
}

/// The certificates of Amazon's authorities in Mozilla's list, as one PEM.
fn amazon_roots() -> Vec<u8> {
    let amazon = |der: &[u8]| AMAZON_ROOTS.iter().any(|name| memchr::memmem::find(der, name).is_some());
    let mut pem = String::new();
    for der in webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter(|der| amazon(der)) {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        pem.push_str(&aws_smithy_types::base64::encode(der));
        pem.push_str("\n-----END CERTIFICATE-----\n");
    }
    pem.into_bytes()
}

/// The host of an `http` or `https` URL.
fn host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => authority.split(':').next()?,
    };
    (!host.is_empty() && !host.contains(char::is_whitespace)).then_some(host)
}

/// A bucket cannot be put in front of an address or a host name without a dot, and hardly before any name but Amazon's.
fn needs_path_style(url: &str) -> bool {
    !host(url).is_some_and(|host| host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_missing_is_said_at_once() {
        let problems = Environment::read(&|_| None).unwrap_err();
        let names: Vec<_> = problems.iter().map(|p| p.variable).collect();
        assert_eq!(names, ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
        let problems = Environment::read(&|name| {
            Some(match name {
                "AWS_ENDPOINT_URL" | "AWS_ENDPOINT_URL_S3" => "localhost:9000".to_owned(),
                "SSL_CERT_FILE" => "/nowhere/at/all.pem".to_owned(),
                "AWS_ENDPOINT_URL_WORKMAILMESSAGEFLOW" => " ".to_owned(),
                _ => "x".to_owned(),
            })
        });
        let names: Vec<_> = problems.unwrap_err().iter().map(|p| p.variable).collect();
        let endpoints = ["AWS_ENDPOINT_URL_WORKMAILMESSAGEFLOW", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_WORKMAIL"];
        assert_eq!(names, endpoints.into_iter().chain(["SSL_CERT_FILE"]).collect::<Vec<_>>());
    }

    #[test]
    fn own_endpoints_get_the_bucket_in_the_path() {
        for url in ["http://localhost:9000", "http://127.0.0.1:1/", "http://[::1]:9000", "https://minio.example.com"] {
            assert!(needs_path_style(url), "{url}");
        }
        assert!(!needs_path_style("https://s3.eu-west-1.amazonaws.com"));
        for url in ["", "localhost", "ftp://x", "http://", "http://a b"] {
            assert_eq!(host(url), None, "{url}");
        }
    }

    #[test]
    fn the_roots_of_the_aws_endpoints_are_compiled_in() {
        let pem = String::from_utf8(amazon_roots()).unwrap();
        let count = pem.matches("BEGIN CERTIFICATE").count();
        assert!((4..=6).contains(&count), "{count}");
        let _ready = http_client(None);
    }
}
