use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::*;

const NOW: Option<Duration> = Some(Duration::ZERO);

fn getter(queue: &Queue<usize>) -> Ticket<'_> {
    match queue.attempt_get(How::Wait) {
        Get::Wait(ticket) => ticket,
        _ => panic!("nothing to wait for"),
    }
}

fn putter(queue: &Queue<usize>) -> Ticket<'_> {
    match queue.attempt_put(0, How::Wait) {
        Put::Wait(ticket, 0) => ticket,
        _ => panic!("nothing to wait for"),
    }
}

fn taken(got: Get<'_, usize>) -> Option<usize> {
    match got {
        Get::Done(item) => Some(item),
        _ => None,
    }
}

fn move_items(queue: &Queue<usize>, putters: usize, getters: usize, each: usize) {
    let sum = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..putters {
            scope.spawn(|| (1..=each).for_each(|item| queue.put(item).unwrap()));
        }
        for _ in 0..getters {
            scope.spawn(|| {
                for _ in 0..putters * each / getters {
                    sum.fetch_add(queue.get().unwrap(), Ordering::Relaxed);
                    assert!(queue.task_done());
                }
            });
        }
    });
    assert_eq!(sum.into_inner(), putters * each * (each + 1) / 2);
    queue.join();
    assert!(queue.is_empty() && !queue.task_done());
}

#[test]
fn every_item_comes_out_once() {
    // Miri, which interprets, takes a second for what takes a millisecond.
    let rounds = if cfg!(miri) { 1 } else { 20 };
    for maxsize in [0, 1, 2, 100] {
        move_items(&Queue::new(maxsize), 1, 1, 200 * rounds);
        move_items(&Queue::new(maxsize), 4, 2, 100 * rounds);
        move_items(&Queue::new(maxsize), 2, 8, 100 * rounds);
        move_items(&Queue::new(maxsize), 20, 20, 10 * rounds);
    }
}

#[test]
fn items_come_out_in_order() {
    let queue = Queue::new(0);
    for item in 0..5_000 {
        queue.put(item).unwrap();
    }
    assert!((0..5_000).all(|item| queue.get() == Some(item)));
}

#[test]
fn an_attempt_that_may_not_wait_does_not() {
    let queue = Queue::new(1);
    assert!(matches!(queue.attempt_get(How::Once), Get::Empty));
    assert!(matches!(queue.attempt_put(1, How::Once), Put::Done));
    assert!(matches!(queue.attempt_put(2, How::Once), Put::Full(2)));
    assert!(queue.is_full());
    queue.set_maxsize(-1);
    assert!(matches!(queue.attempt_put(2, How::Once), Put::Done));
    assert!(!queue.is_full());
    assert_eq!(queue.maxsize(), -1);
}

#[test]
fn a_sleeper_is_called_for_an_item() {
    let queue = Queue::new(0);
    let (first, second) = (getter(&queue), getter(&queue));
    queue.put(7).unwrap();
    assert!(!second.wait(NOW));
    assert!(first.wait(NOW));
    assert_eq!(taken(queue.attempt_get(How::Called)), Some(7));
}

#[test]
fn those_that_come_call_those_that_were_left_asleep() {
    let queue = Queue::new(0);
    let mut sleepers: Vec<_> = (0..20).map(|_| getter(&queue)).collect();
    for item in 0..20 {
        queue.put(item).unwrap();
    }
    let mut come = 0;
    while !sleepers.is_empty() {
        let before = sleepers.len();
        sleepers.retain(|sleeper| !sleeper.wait(NOW));
        assert!(sleepers.len() < before, "threads sleep with items there");
        for _ in sleepers.len()..before {
            assert_eq!(taken(queue.attempt_get(How::Called)), Some(come));
            come += 1;
        }
    }
    assert_eq!(come, 20);
}

#[test]
fn a_call_that_nobody_answers_is_passed_on() {
    let queue = Queue::new(0);
    let (first, second) = (getter(&queue), getter(&queue));
    queue.put(7).unwrap();
    drop(first);
    assert!(second.wait(NOW));

    let queue = Queue::new(1);
    queue.put(7).unwrap();
    let (first, second) = (putter(&queue), putter(&queue));
    assert_eq!(queue.get(), Some(7));
    drop(first);
    assert!(second.wait(NOW));
}

#[test]
fn one_that_gives_up_is_not_called() {
    let queue = Queue::new(0);
    let (first, second) = (getter(&queue), getter(&queue));
    assert!(!first.wait(NOW) && !first.give_up());
    queue.put(7).unwrap();
    assert!(second.give_up(), "was called before");
}

#[test]
fn more_room_calls_those_who_wait_for_it() {
    let queue = Queue::new(1);
    queue.put(7).unwrap();
    let sleepers = [putter(&queue), putter(&queue)];
    queue.set_maxsize(2);
    assert_eq!(sleepers.map(|sleeper| sleeper.wait(NOW)), [true, false]);
}

#[test]
fn shutting_down_ends_every_wait() {
    let queue = Queue::new(1);
    let waiting = getter(&queue);
    assert!(queue.shut_down(false).is_empty());
    assert!(waiting.wait(NOW) && queue.is_shut_down());
    assert_eq!((queue.get(), queue.put(1)), (None, Err(1)));
    assert!(matches!(queue.attempt_get(How::Called), Get::ShutDown));

    let queue = Queue::new(1);
    queue.put(7).unwrap();
    let waiting = putter(&queue);
    queue.shut_down(false);
    assert!(waiting.wait(NOW));
    assert_eq!((queue.put(1), queue.get(), queue.get()), (Err(1), Some(7), None));
}

#[test]
fn shutting_down_at_once_gives_the_items_back_as_done() {
    let queue = Queue::new(0);
    (0..3).for_each(|item| queue.put(item).unwrap());
    let Attempt::Wait(joiner) = queue.attempt_join() else { panic!("no wait") };
    assert_eq!(queue.shut_down(true), [0, 1, 2]);
    assert!(joiner.wait(NOW));
    assert_eq!((queue.unfinished(), queue.len(), queue.get()), (0, 0, None));
    queue.join();
}

#[test]
fn an_emptied_queue_gives_memory_back() {
    let queue = Queue::new(0);
    (0..20 * KEPT).for_each(|item| queue.put(item).unwrap());
    while queue.attempt_get(How::Once).is_done() {}
    assert!(queue.with(|state| state.items.capacity()) <= KEPT);
}

impl<T> Get<'_, T> {
    fn is_done(&self) -> bool {
        matches!(self, Get::Done(_))
    }
}
