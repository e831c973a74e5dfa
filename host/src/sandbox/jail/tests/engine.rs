//! What the engine and the workers need works inside.

use super::super::{Confines, Jail, JailError, Task, begin, enter, seal};
use super::alone::alone;
use crate::{Engine, Plugin, Pool};

fn confines(task: Task) -> Confines<'static> {
    Confines { task, dirs: &[], ports: &[], data: 1 << 30, requirement: Jail::Required }
}

#[test]
fn a_pool_runs_in_the_sealed_jail() {
    alone("engine::a_pool_runs_in_the_sealed_jail", |parent| {
        let wat = std::fs::read("../tests/fixtures/upper.wat").unwrap();
        begin(parent).unwrap();
        assert_eq!(enter(&confines(Task::Work)).unwrap(), []);
        let engine = Engine::new().unwrap();
        let plugin = Plugin::from_bytes(&engine, "upper", &wat).unwrap();
        seal().unwrap();
        assert!(matches!(seal(), Err(JailError::System { .. })), "it is sealed");
        let mut pool = Pool::builder(&plugin).build().unwrap();
        let out = pool.map(["one", "two"]).map(|r| r.unwrap().bytes().unwrap().to_vec());
        assert_eq!(out.collect::<Vec<_>>(), [b"ONE", b"TWO"]);
    });
}
