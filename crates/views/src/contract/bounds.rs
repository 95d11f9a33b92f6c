//! Much at once.

use super::{Place, at, seconds, sighting};
use crate::{DeploymentSighting, Sighting};

pub(crate) async fn a_batch_of_many_is_written_whole(place: &dyn Place) {
    const MANY: i64 = 12_000;
    let seen = place.seen();
    for number in 0..MANY {
        let name = format!("n-{number}");
        seen.saw(Sighting { holder: &name, ..sighting("l-1", "", number) });
        seen.saw_token(&name, at(number));
        let (product, ecs, charging_mode) = ("sku-1", &*name, None);
        seen.saw_deployment_hour(DeploymentSighting { seller: "acme", product, ecs, charging_mode, at: at(0) });
    }
    seen.close().await;
    let seen = place.seen();
    let holders = seconds(&seen, "l-1").await;
    assert!((0..MANY).all(|number| holders.get(&format!("n-{number}")) == Some(&number)), "{}", holders.len());
    let tokens = seen.token_last_used().await.unwrap();
    assert!((0..MANY).all(|number| tokens.get(&format!("n-{number}")) == Some(&at(number))), "{}", tokens.len());
    assert_eq!(seen.hour("acme", at(0)).await.unwrap().len(), usize::try_from(MANY).unwrap());
}
