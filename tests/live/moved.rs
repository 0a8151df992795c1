// Appended to the fleet's tests of its processes: what was spawned before is done by a worker now,
// also when the server is gone right after its answer.

#[test]
fn what_was_spawned_survives_the_server() {
    let mut fleet = Processes::start("moved");
    let kinds = [
        "plain", "renamed", "prepared", "called", "held", "traced", "blocking", "wrapped", "looped",
    ];
    for kind in kinds {
        fleet.call("POST", &format!("/api/moved/{kind}/x"), "");
    }
    let mut server = fleet.server.take().unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    let root = fleet.place.state_dir.join("workspaces");
    let files = [
        ("plain", "plain x"),
        ("renamed", "renamed"),
        ("prepared", "prepared true"),
        ("called", "x"),
        ("held", "x held"),
        ("traced", "x"),
        ("blocking", "blocking"),
        ("wrapped", "wrapped"),
        ("looped.a", "a"),
        ("looped.b", "b"),
    ];
    // The server itself does none of it any more.
    for (file, _) in files {
        assert!(!root.join(format!("x.{file}")).exists(), "{file}");
    }
    fleet.worker();
    for (file, text) in files {
        let found = std::fs::read_to_string(root.join(format!("x.{file}")));
        assert_eq!(found.ok().as_deref(), Some(text), "{file}");
    }
}
