use super::*;

#[tokio::test]
async fn a_feed_waits_until_it_is_ready() {
    let stop = CancellationToken::new();
    let queue = KeyedQueue::new(1, stop.clone());
    let go = Arc::new(Semaphore::new(0));
    let [hung, other] =
        ["222222222222", "333333333333"].map(|id| id.parse::<AccountId>().expect("an account"));
    for _ in 0..PLACES {
        let go = Arc::clone(&go);
        queue.submit(format!("{hung}/role"), Priority::New, async move {
            go.acquire().await.expect("not closed").forget();
        });
    }
    assert!(queue.ready(&hung).now_or_never().is_none());
    // Another account is let in, until it has as many as each may have.
    for _ in 0..PLACES_OF_ACCOUNT {
        queue.ready(&other).now_or_never().expect("there is room for another account");
        queue.submit(format!("{other}/role"), Priority::New, std::future::ready(()));
    }
    assert!(queue.ready(&other).now_or_never().is_none());
    go.add_permits(PLACES_OF_ACCOUNT + 1);
    queue.ready(&hung).await;
    queue.ready(&other).await;
    // Those that are given up at a stop leave room, too.
    stop.cancel();
    go.add_permits(PLACES);
    queue.drained().await;
    assert_eq!(queue.jobs(), 0);
}

#[tokio::test]
async fn one_key_keeps_its_order() {
    let queue = KeyedQueue::new(8, CancellationToken::new());
    let order = Arc::new(Mutex::new(Vec::new()));
    for number in 0..50 {
        let order = Arc::clone(&order);
        queue.submit("role".to_owned(), Priority::New, async move {
            tokio::task::yield_now().await;
            order.lock().expect("not poisoned").push(number);
        });
    }
    queue.drained().await;
    assert_eq!(*order.lock().expect("not poisoned"), (0..50).collect::<Vec<_>>());
    assert!(queue.waiting().is_empty());
}

#[tokio::test]
async fn keys_run_side_by_side_up_to_the_width() {
    let queue = KeyedQueue::new(2, CancellationToken::new());
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    for key in 0..6 {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        queue.submit(key.to_string(), Priority::New, async move {
            let running = now.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(running, Ordering::SeqCst);
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
        });
    }
    queue.drained().await;
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_is_tried_again_leaves_room_for_what_is_new() {
    let queue = KeyedQueue::new(4, CancellationToken::new());
    let (go, done) = (Arc::new(Semaphore::new(0)), Arc::new(Notify::new()));
    for key in 0..8 {
        let go = Arc::clone(&go);
        queue.submit(format!("hangs-{key}"), Priority::Again, async move {
            go.acquire().await.expect("not closed").forget();
        });
    }
    let new = Arc::clone(&done);
    queue.submit("new".to_owned(), Priority::New, async move { new.notify_one() });
    done.notified().await;
    go.add_permits(8);
    queue.drained().await;
    assert!(queue.waiting().is_empty());
}

#[tokio::test]
async fn stopping_finishes_what_runs_and_begins_nothing() {
    let stop = CancellationToken::new();
    let queue = KeyedQueue::new(1, stop.clone());
    let (begun, go, done) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    for _ in 0..3 {
        let (begun, go, done) = (Arc::clone(&begun), Arc::clone(&go), Arc::clone(&done));
        queue.submit("role".to_owned(), Priority::New, async move {
            begun.notify_one();
            go.notified().await;
            done.fetch_add(1, Ordering::SeqCst);
        });
    }
    begun.notified().await;
    stop.cancel();
    go.notify_one();
    queue.drained().await;
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_account_that_hangs_leaves_room_for_others() {
    let queue = KeyedQueue::new(4, CancellationToken::new());
    for role in 0..8 {
        queue.submit(format!("222222222222/{role}"), Priority::New, std::future::pending());
    }
    let done = Arc::new(Notify::new());
    let other = Arc::clone(&done);
    queue.submit("333333333333/web".to_owned(), Priority::New, async move { other.notify_one() });
    done.notified().await;
    // And a stop does not wait for it.
    queue.give_up().await;
    assert_eq!(queue.jobs(), 0);
}

#[tokio::test]
async fn what_waits_to_be_tried_again_holds_up_nothing_new_in_its_account() {
    let queue = KeyedQueue::new(32, CancellationToken::new());
    for account in ["222222222222", "333333333333"] {
        for role in 0..8 {
            let key = format!("{account}/{role}");
            queue.submit(key, Priority::Again, std::future::pending());
        }
        // Each waits where it waits before the next ones come.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
    let done = Arc::new(Notify::new());
    let new = Arc::clone(&done);
    queue.submit("333333333333/new".to_owned(), Priority::New, async move { new.notify_one() });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(done.notified().now_or_never().is_some(), "what is new waits for an account that hangs");
    queue.give_up().await;
}

#[tokio::test]
async fn retries_of_an_account_that_hangs_leave_room_for_those_of_others() {
    let queue = KeyedQueue::new(32, CancellationToken::new());
    for priority in [Priority::New, Priority::Again] {
        for role in 0..8 {
            queue.submit(format!("222222222222/{priority:?}-{role}"), priority, std::future::pending());
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
    let done = Arc::new(Notify::new());
    let other = Arc::clone(&done);
    queue.submit("333333333333/web".to_owned(), Priority::Again, async move { other.notify_one() });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(done.notified().now_or_never().is_some(), "a retry waits for an account that hangs");
    queue.give_up().await;
}

#[tokio::test]
async fn what_steps_back_lets_others_go_first() {
    let queue = KeyedQueue::new(1, CancellationToken::new());
    let (urgent, go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    for key in 0..5 {
        let (queue, urgent, go) = (queue.clone(), Arc::clone(&urgent), Arc::clone(&go));
        queue.clone().submit(key.to_string(), Priority::New, async move {
            urgent.add_permits(1);
            queue.step_back().await;
            go.acquire().await.expect("not closed").forget();
        });
    }
    // All urgent parts are done, though none of the jobs is.
    urgent.acquire_many(5).await.expect("not closed").forget();
    go.add_permits(5);
    queue.drained().await;
    assert_eq!((queue.width.available_permits(), queue.after.available_permits()), (1, 1));
}

#[tokio::test]
async fn a_fault_costs_one_job() {
    let queue = KeyedQueue::new(1, CancellationToken::new());
    let done = Arc::new(AtomicUsize::new(0));
    queue.submit("role".to_owned(), Priority::New, async { panic!("a fault, on purpose") });
    let after = Arc::clone(&done);
    queue.submit("role".to_owned(), Priority::New, async move {
        after.fetch_add(1, Ordering::SeqCst);
    });
    queue.drained().await;
    assert_eq!(done.load(Ordering::SeqCst), 1);
}
