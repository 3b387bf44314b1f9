//! Sends what is due, once a second, until the server stops.

use std::sync::Arc;
use std::time::Duration;

use rightful_app::app::App;
use rightful_app::outbox::Post;
use tokio_util::sync::CancellationToken;

use super::wait;

/// How often the outbox is looked into when there was nothing to send.
const EVERY: Duration = Duration::from_secs(1);

/// How long to let a mail server, or the database, come to itself.
const PAUSE: Duration = Duration::from_secs(15);

/// How long letters in hand may take when the server stops. One that is cut off then is one of which nobody knows whether it
/// arrived.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends until the server stops; letters that are being handed over then are finished, and none is begun.
pub(crate) async fn run(app: Arc<App>, post: Post, stop: CancellationToken) {
    let closing = async {
        stop.cancelled().await;
        post.close();
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        () = send(&app, &post, &stop) => {}
        () = closing => tracing::warn!("letters were still being handed over when the time for stopping was over"),
    }
}

async fn send(app: &App, post: &Post, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        let pause = match app.send_due(post).await {
            Ok(sent) if sent.is_way_down => PAUSE,
            Ok(sent) if sent.all() > 0 => continue,
            Ok(_) => EVERY,
            Err(fault) => {
                tracing::warn!(error = %fault, "the outbox could not be looked into");
                PAUSE
            }
        };
        wait(pause, stop).await;
    }
}
