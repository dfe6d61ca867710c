//! S3: a real S3 server over a folder, which checks signatures, and which can be told to refuse.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;

use crate::server::{serve_raw, trace};
use crate::shelf::Shelf;
use crate::{KEY_ID, SECRET};

const DENIED: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                      <Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";

/// What it is told.
#[derive(Default)]
pub struct Switches {
    /// Refuse every put.
    pub refuse: AtomicBool,
    /// Say that the bucket has versions.
    pub versions: AtomicBool,
    /// The trace that each request of the function names.
    pub traces: Mutex<Vec<Option<String>>>,
    /// The bucket where rules are published.
    pub shelf: Mutex<Shelf>,
}

pub async fn start(folder: &Path) -> (SocketAddr, Arc<Switches>) {
    let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder).unwrap());
    builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
    let service = builder.build();
    let switches = Arc::<Switches>::default();
    let told = switches.clone();
    let address = serve_raw(move || {
        let (service, told) = (service.clone(), told.clone());
        service_fn(move |request: Request<hyper::body::Incoming>| {
            let (service, told) = (service.clone(), told.clone());
            async move {
                if let Some(answer) = told.shelf.lock().unwrap().answer(&request) {
                    return Ok(answer);
                }
                let put = request.method() == Method::PUT;
                if put {
                    told.traces.lock().unwrap().push(trace(request.headers()));
                }
                if put && told.refuse.load(Ordering::SeqCst) {
                    let refused = Response::builder().status(403).body(s3s::Body::from(DENIED.to_owned()));
                    return Ok(refused.unwrap());
                }
                let mut response = service.call(request.map(s3s::Body::from)).await?;
                if put && told.versions.load(Ordering::SeqCst) {
                    response.headers_mut().insert("x-amz-version-id", "v-1".parse().unwrap());
                }
                Ok::<_, s3s::HttpError>(response)
            }
        })
    })
    .await;
    (address, switches)
}
