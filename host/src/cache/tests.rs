use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::time::{Duration, UNIX_EPOCH};

use tempfile::TempDir;

use super::*;

fn cache() -> (TempDir, Cache) {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path()).unwrap();
    (folder, cache)
}

fn key(of: &str) -> Key {
    Key::builder(EntryKind::Plugin).part(of.as_bytes()).build()
}

fn path(folder: &TempDir, part: &str, key: &Key) -> PathBuf {
    folder.path().join(part).join(key.to_string())
}

fn code(entry: &TrustedEntry) -> Vec<u8> {
    let mut code = vec![0; usize::try_from(entry.length()).unwrap()];
    std::os::unix::fs::FileExt::read_exact_at(entry.file(), &mut code, 0).unwrap();
    code
}

#[test]
fn an_entry_is_found_only_by_its_key() {
    let (_folder, cache) = cache();
    assert!(cache.trusted(&key("a")).is_none());
    cache.keep_trusted(&key("a"), b"the code", b"metadata");
    let found = cache.trusted(&key("a")).unwrap();
    assert_eq!(code(&found), b"the code");
    assert!(cache.trusted(&key("b")).is_none());
    assert_eq!(cache.stats(), CacheStats { hits: 1, misses: 2, damaged: 0 });
}

#[test]
fn jailed_code_is_never_trusted() {
    let (folder, cache) = cache();
    cache.keep_jailed(&key("a"), b"jailed", b"metadata");
    assert!(cache.trusted(&key("a")).is_none());
    let jailed = cache.jailed(&key("a")).unwrap();
    assert_eq!((jailed.length(), jailed.metadata()), (6, &b"metadata"[..]));
    cache.keep_trusted(&key("b"), b"trusted", b"");
    assert!(cache.jailed(&key("b")).is_none());
    let info = cache.info().unwrap();
    assert_eq!((info.trusted.entries, info.jailed.entries), (1, 1));
    assert!(path(&folder, "jailed", &key("a")).is_file());
    assert!(path(&folder, "trusted", &key("b")).is_file());
}

#[test]
fn a_damaged_or_exposed_entry_counts_as_missing() {
    type Damage = fn(&Path);
    let (folder, cache) = cache();
    let it = path(&folder, "trusted", &key("it"));
    let other = path(&folder, "trusted", &key("other"));
    #[rustfmt::skip]
    let damages: [(&str, Damage); 8] = [
        ("cut",       |it| fs::write(it, &fs::read(it).unwrap()[1..]).unwrap()),
        ("empty",     |it| fs::write(it, "").unwrap()),
        ("longer",    |it| fs::write(it, [fs::read(it).unwrap(), vec![0]].concat()).unwrap()),
        ("changed",   |it| {
            let mut bytes = fs::read(it).unwrap();
            bytes[0] ^= 1;
            fs::write(it, bytes).unwrap();
        }),
        ("another's", |it| {
            let name = key("other").to_string();
            fs::copy(it.with_file_name(name), it).map(drop).unwrap();
        }),
        ("open",      |it| fs::set_permissions(it, PermissionsExt::from_mode(0o622)).unwrap()),
        ("a link",    |it| {
            fs::remove_file(it).unwrap();
            symlink(key("kept").to_string(), it).unwrap();
        }),
        ("a pipe",    |it| {
            fs::remove_file(it).unwrap();
            rustix::fs::mknodat(
                rustix::fs::CWD, it, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0,
            ).unwrap();
        }),
    ];
    for (at, (damage, apply)) in (1..).zip(damages) {
        cache.keep_trusted(&key("it"), b"the code", b"");
        cache.keep_trusted(&key("other"), b"another", b"");
        fs::copy(&it, path(&folder, "trusted", &key("kept"))).unwrap();
        assert!(other.is_file() && cache.trusted(&key("it")).is_some());
        apply(&it);
        assert!(cache.trusted(&key("it")).is_none(), "{damage}");
        assert_eq!(cache.stats().damaged, at, "{damage}");
        cache.keep_trusted(&key("it"), b"the code", b"");
        assert_eq!(code(&cache.trusted(&key("it")).unwrap()), b"the code", "{damage}");
    }
}

#[test]
fn the_least_recently_used_entry_is_evicted() {
    let (folder, cache) = cache();
    let cache = cache.limit("1KiB".parse().unwrap());
    let used_at = |part: &str, name: &str, seconds| {
        let file = File::options().write(true).open(path(&folder, part, &key(name))).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
    };
    for (name, seconds) in [("a", 1), ("b", 2)] {
        cache.keep_trusted(&key(name), &[0; 200], b"");
        used_at("trusted", name, seconds);
    }
    cache.keep_jailed(&key("c"), &[0; 200], b"");
    used_at("jailed", "c", 3);
    // The lookup makes the oldest entry the newest.
    assert!(cache.trusted(&key("a")).is_some());
    assert_eq!(cache.info().unwrap().trusted.entries, 2);
    cache.keep_trusted(&key("d"), &[0; 200], b"");
    let is_kept = |name| cache.trusted(&key(name)).is_some();
    assert_eq!(["a", "b", "d"].map(is_kept), [true, false, true]);
    assert!(cache.jailed(&key("c")).is_some());
    // The new entry stays, whatever its time is.
    cache.keep_trusted(&key("e"), &[0; 900], b"");
    assert_eq!(["a", "d", "e"].map(is_kept), [false, false, true]);
    assert!(cache.jailed(&key("c")).is_none());
}

#[test]
fn an_oversized_entry_is_not_kept_and_evicts_nothing() {
    let (_folder, cache) = cache();
    let cache = cache.limit("1KiB".parse().unwrap());
    cache.keep_trusted(&key("small"), &[0; 100], b"");
    cache.keep_trusted(&key("large"), &[0; 1024], b"");
    assert!(cache.trusted(&key("large")).is_none() && cache.trusted(&key("small")).is_some());
}

#[test]
fn old_unfinished_files_are_removed() {
    let (folder, cache) = cache();
    let (old, new) = (folder.path().join("trusted/.new-1"), folder.path().join("trusted/.new-2"));
    for path in [&old, &new] {
        fs::write(path, "half of i").unwrap();
    }
    File::options().write(true).open(&old).unwrap().set_modified(UNIX_EPOCH).unwrap();
    cache.keep_trusted(&key("it"), b"code", b"");
    assert!(!old.exists() && new.exists());
    assert_eq!(cache.info().unwrap().trusted.entries, 1);
}

#[test]
fn an_open_entry_survives_replacement_and_removal() {
    let (folder, cache) = cache();
    cache.keep_trusted(&key("it"), b"old", b"");
    let old = cache.trusted(&key("it")).unwrap();
    cache.keep_trusted(&key("it"), b"new", b"");
    assert_eq!(code(&cache.trusted(&key("it")).unwrap()), b"new");
    let removed = cache.clear().unwrap().trusted;
    assert_eq!(removed.entries, 1);
    assert_eq!(code(&old), b"old");
    assert_eq!(fs::read_dir(folder.path().join("trusted")).unwrap().count(), 0);
}

/// A crash leaves an unfinished file, which may hold secrets of a plugin.
#[test]
fn clearing_removes_unfinished_files() {
    type Clear = fn(&Cache) -> Result<CacheInfo, CacheError>;
    for clear in [Cache::clear as Clear, Cache::clear_snapshots] {
        let (folder, cache) = cache();
        let unfinished = ["trusted", "jailed"].map(|part| folder.path().join(part).join(".new-1"));
        cache.keep_trusted(&key("it"), b"code", b"");
        cache.keep_jailed(&key("it"), b"code", b"");
        unfinished.iter().for_each(|file| fs::write(file, "secret").unwrap());
        let before = cache.info().unwrap();
        let removed = clear(&cache).unwrap();
        assert_eq!(unfinished.each_ref().map(|file| file.exists()), [false; 2]);
        // An unfinished file does not count as an entry.
        let after = cache.info().unwrap();
        assert_eq!(removed.trusted.entries + after.trusted.entries, before.trusted.entries);
        assert_eq!(removed.jailed.bytes + after.jailed.bytes, before.jailed.bytes);
    }
}

#[test]
fn an_unwritable_or_missing_cache_causes_no_failure() {
    let (folder, cache) = cache();
    fs::remove_dir_all(folder.path()).unwrap();
    cache.keep_trusted(&key("it"), b"code", b"");
    assert!(cache.trusted(&key("it")).is_none());
    assert_eq!(cache.info().unwrap(), CacheInfo::default());

    // A file stands where the directory should be, so even root cannot create it.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("trusted"), "").unwrap();
    let cache = Cache::open(folder.path()).unwrap();
    cache.keep_trusted(&key("it"), b"code", b"");
    assert!(cache.trusted(&key("it")).is_none());
    cache.keep_jailed(&key("it"), b"code", b"");
    assert!(cache.jailed(&key("it")).is_some());
}

#[test]
fn entries_are_readable_by_their_user_alone() {
    let (folder, cache) = cache();
    cache.keep_trusted(&key("it"), b"code", b"");
    let found = fs::metadata(path(&folder, "trusted", &key("it"))).unwrap();
    assert_eq!(found.mode() & 0o777, 0o600);
}
