//! The services of the protocol.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

use crate::faults::Faults;
use crate::protocol::event_store::client::Empty;
use crate::protocol::event_store::client::gossip::gossip_server::Gossip;
use crate::protocol::event_store::client::gossip::member_info::VNodeState;
use crate::protocol::event_store::client::gossip::{ClusterInfo, EndPoint, MemberInfo};
use crate::protocol::event_store::client::server_features::server_features_server::ServerFeatures;
use crate::protocol::event_store::client::server_features::{SupportedMethod, SupportedMethods};
use crate::protocol::event_store::client::streams::streams_server::Streams;
use crate::protocol::event_store::client::streams::{
    AppendReq, AppendResp, BatchAppendReq, BatchAppendResp, DeleteReq, DeleteResp, ReadReq, ReadResp, TombstoneReq,
    TombstoneResp,
};
use crate::store::Store;
use crate::{append, batch, read, wire};

/// The version that the double says it is.
const VERSION: &str = "24.10.0";

/// Answers that wait to be sent.
const ANSWERS: usize = 256;

/// What all calls share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) faults: Arc<Faults>,
    /// `Basic …`, if calls must have it.
    pub(crate) authorization: Option<String>,
    /// Where the double listens.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Shared {
    /// What every call about streams goes through first.
    async fn admit(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let shown = metadata.get("authorization").and_then(|shown| shown.to_str().ok());
        if self.authorization.is_some() && self.authorization.as_deref() != shown {
            return Err(wire::access_denied());
        }
        self.is_ready()
    }

    fn is_ready(&self) -> Result<(), Status> {
        if self.faults.is_not_ready() { Err(wire::not_ready()) } else { Ok(()) }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Service(pub(crate) Arc<Shared>);

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Streams for Service {
    type ReadStream = Answers<ReadResp>;
    type BatchAppendStream = Answers<BatchAppendResp>;

    async fn read(&self, request: Request<ReadReq>) -> Result<Response<Self::ReadStream>, Status> {
        self.0.admit(request.metadata()).await?;
        self.0.faults.slow_down().await;
        let wants_leader = request.metadata().get("requires-leader").is_some_and(|value| value == "true");
        if let Some(leader) = self.0.faults.other_leader().filter(|_| wants_leader) {
            return Err(wire::not_leader(&leader));
        }
        let (answers, sent) = mpsc::channel(ANSWERS);
        tokio::spawn(read::serve(Arc::clone(&self.0), request.into_inner(), answers));
        Ok(Response::new(Box::pin(ReceiverStream::new(sent))))
    }

    async fn append(&self, request: Request<Streaming<AppendReq>>) -> Result<Response<AppendResp>, Status> {
        self.0.admit(request.metadata()).await?;
        self.0.faults.slow_down().await;
        append::serve(Arc::clone(&self.0), request.into_inner()).await.map(Response::new)
    }

    async fn batch_append(
        &self,
        request: Request<Streaming<BatchAppendReq>>,
    ) -> Result<Response<Self::BatchAppendStream>, Status> {
        self.0.admit(request.metadata()).await?;
        let (answers, sent) = mpsc::channel(ANSWERS);
        tokio::spawn(batch::serve(Arc::clone(&self.0), request.into_inner(), answers));
        Ok(Response::new(Box::pin(ReceiverStream::new(sent))))
    }

    async fn delete(&self, _request: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        Err(Status::unimplemented("the double deletes nothing"))
    }

    async fn tombstone(&self, _request: Request<TombstoneReq>) -> Result<Response<TombstoneResp>, Status> {
        Err(Status::unimplemented("the double deletes nothing"))
    }
}

#[tonic::async_trait]
impl ServerFeatures for Service {
    async fn get_supported_methods(&self, _request: Request<Empty>) -> Result<Response<SupportedMethods>, Status> {
        self.0.is_ready()?;
        let method = |name: &str| SupportedMethod {
            method_name: name.to_owned(),
            service_name: "event_store.client.streams.streams".to_owned(),
            features: Vec::new(),
        };
        let methods = ["append", "batchappend", "read"].map(method).to_vec();
        Ok(Response::new(SupportedMethods { methods, event_store_server_version: VERSION.to_owned() }))
    }
}

#[tonic::async_trait]
impl Gossip for Service {
    /// This node, and the leader if that is another one.
    async fn read(&self, _request: Request<Empty>) -> Result<Response<ClusterInfo>, Status> {
        self.0.is_ready()?;
        let member = |host: &str, port: u16, state: VNodeState| MemberInfo {
            instance_id: Some(wire::wire_id(uuid::Uuid::from_u64_pair(port.into(), 1), false)),
            time_stamp: 0,
            state: state.into(),
            is_alive: true,
            http_end_point: Some(EndPoint { address: host.to_owned(), port: port.into() }),
        };
        let (host, port) = (&self.0.host, self.0.port);
        let members = match self.0.faults.other_leader() {
            Some((leader, its_port)) => {
                vec![member(host, port, VNodeState::Follower), member(&leader, its_port, VNodeState::Leader)]
            }
            None => vec![member(host, port, VNodeState::Leader)],
        };
        Ok(Response::new(ClusterInfo { members }))
    }
}
