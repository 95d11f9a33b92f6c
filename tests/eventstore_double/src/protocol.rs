//! The protocol, made by `build.rs` from the descriptions that the client's crate brings along.
#![expect(missing_docs, clippy::all, clippy::allow_attributes_without_reason, reason = "made by tonic-build")]
#![allow(rustdoc::broken_intra_doc_links, reason = "made by tonic-build; only rustdoc looks for them")]

pub mod event_store {
    pub mod client {
        tonic::include_proto!("event_store.client");
        pub mod streams {
            tonic::include_proto!("event_store.client.streams");
        }
        pub mod gossip {
            tonic::include_proto!("event_store.client.gossip");
        }
        pub mod server_features {
            tonic::include_proto!("event_store.client.server_features");
        }
    }
}

pub mod google {
    pub mod rpc {
        tonic::include_proto!("google.rpc");
    }
}
