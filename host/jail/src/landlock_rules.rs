//! Landlock: the rules that decide which files and ports a jailed process may use.
//!
//! The rules first deny every right that the newest version of Landlock known to this crate
//! controls. An older kernel ignores the rights that it does not know. Then the rules allow the
//! process:
//!
//! - to read below each granted directory;
//! - to change files below each writable directory;
//! - to connect to the granted ports.
//!
//! No rule allows the process to run a file, make a device, socket or pipe, or send commands to a
//! device.

use std::io;
use std::os::fd::BorrowedFd;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope, make_bitflags,
};

use super::{Access, AllowedDir, JailConfig, JailError, JailLayer, JailLayers, LayerStatus};

/// The newest known version: the rules deny all rights that it controls.
const NEWEST: ABI = ABI::V10;
/// The first version that controls truncation. From this version on, a process can neither read nor
/// change files that are not granted.
const FILES: ABI = ABI::V3;
/// The first version that controls ports.
const PORTS: ABI = ABI::V4;
/// The first version that controls scopes.
const SCOPES: ABI = ABI::V6;

const READING: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});
const CHANGING: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir | Refer
});

/// Sets the rules, as far as the kernel supports them.
pub(crate) fn enter(config: &JailConfig<'_>) -> Result<(), JailError> {
    let mut rules = restrict_all().map_err(refused)?;
    for dir in config.dirs {
        rules = rules.add_rule(PathBeneath::new(dir, rights(dir.access()))).map_err(refused)?;
    }
    rules = allow_ports(rules, config.ports).map_err(refused)?;
    rules.restrict_self().map_err(refused)?;
    Ok(())
}

/// Sets rules for the calling thread and the threads that it starts. Omits rules that the kernel
/// does not support. The rules allow the threads to use `dirs` and `ports`, and to read and change
/// files in `cache`.
pub(crate) fn confine_thread(
    dirs: &[AllowedDir],
    ports: &[u16],
    cache: Option<BorrowedFd<'_>>,
) -> Result<(), RulesetError> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .create()?;
    for dir in dirs {
        rules = rules.add_rule(PathBeneath::new(dir, rights(dir.access())))?;
    }
    if let Some(cache) = cache {
        rules = rules.add_rule(PathBeneath::new(cache, CHANGING | READING))?;
    }
    allow_ports(rules, ports)?.restrict_self().map(drop)
}

/// Adds the rules to `layers`, with the kernel's answer to each rule. If the kernel has no
/// Landlock, the function adds only `JailLayer::Landlock`, as missing.
pub(crate) fn probe(config: &JailConfig<'_>, layers: &mut JailLayers) {
    // These rules are never set: they only show which rules the kernel supports.
    let rules = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let files = |abi| rules().handle_access(AccessFs::from_all(abi)).is_ok();
    let mut add = |layer, has: bool| {
        let missing = || LayerStatus::Missing("the kernel has no such rules".into());
        layers.add_answer(layer, if has { LayerStatus::Present } else { missing() });
        has
    };
    if !add(JailLayer::Landlock, files(ABI::V1)) {
        return;
    }
    add(JailLayer::LandlockTruncation, files(FILES));
    if config.has_ports() {
        let has_ports = rules().handle_access(AccessNet::from_all(PORTS)).is_ok();
        add(JailLayer::LandlockPorts, has_ports);
    }
    add(JailLayer::LandlockScopes, rules().scope(Scope::from_all(SCOPES)).is_ok());
}

fn restrict_all() -> Result<RulesetCreated, RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()
}

/// Returns the rights below a granted directory.
fn rights(access: Access) -> BitFlags<AccessFs> {
    match access {
        Access::Read => READING,
        Access::ReadWrite => READING | CHANGING,
        Access::ReadWriteSymlinks => READING | CHANGING | AccessFs::MakeSym,
    }
}

fn allow_ports(rules: RulesetCreated, ports: &[u16]) -> Result<RulesetCreated, RulesetError> {
    if ports.is_empty() {
        return Ok(rules);
    }
    // A plugin's socket is bound to a port that the system chooses before it connects.
    let rules = rules.add_rule(NetPort::new(0, AccessNet::BindTcp))?;
    let ports = ports.iter().map(|port| Ok(NetPort::new(*port, AccessNet::ConnectTcp)));
    rules.add_rules(ports)
}

fn refused(error: RulesetError) -> JailError {
    JailError::System { step: "set the rules of Landlock", source: io::Error::other(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn landlock_rights_follow_the_granted_access() {
        let read = rights(Access::Read);
        let write = rights(Access::ReadWrite);
        let links = rights(Access::ReadWriteSymlinks);
        assert_eq!(read, AccessFs::ReadFile | AccessFs::ReadDir);
        assert_eq!(write & read, read);
        let never = make_bitflags!(AccessFs::{
            Execute | MakeChar | MakeBlock | MakeSock | MakeFifo | IoctlDev | ResolveUnix
        });
        assert_eq!(links, write | AccessFs::MakeSym);
        assert_eq!(links | never, AccessFs::from_all(NEWEST), "each right is decided on");
        assert!((links & never).is_empty());
    }
}
