//! A store for a lot of mail: objects in memory, given out once, and nothing checked. What is checked of S3, [`object_store`]
//! checks; hashing 40 MB takes it longer than WorkMail waits in a program that is not optimized.
//!
//! [`object_store`]: crate::object_store

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use hyper::Method;

use crate::server::{answer, serve};

pub async fn start() -> SocketAddr {
    let objects = Arc::<Mutex<HashMap<String, Bytes>>>::default();
    serve(move |request| {
        let objects = objects.clone();
        async move {
            let path = request.uri().path().to_owned();
            let mut objects = objects.lock().unwrap();
            match *request.method() {
                Method::PUT => {
                    objects.insert(path, request.into_body());
                    answer(200, &[("etag", "\"0\"")], "")
                }
                _ => match objects.remove(&path) {
                    Some(object) => answer(200, &[("etag", "\"0\"")], object),
                    None => answer(404, &[], ""),
                },
            }
        }
    })
    .await
}
