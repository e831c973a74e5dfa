//! stub
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Jail {
    #[default]
    Required,
    BestEffort,
}
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub(crate) struct JailError;
pub(crate) enum Task {
    Work,
}
pub(crate) struct Confines<'a> {
    pub(crate) task: Task,
    pub(crate) dirs: &'a [super::capabilities::DirGrant],
    pub(crate) ports: &'a [u16],
    pub(crate) data: u64,
    pub(crate) requirement: Jail,
}
pub(crate) fn begin(parent: rustix::process::Pid) -> Result<(), JailError> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal, setsid};
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|_| JailError)?;
    if getppid() != Some(parent) {
        return Err(JailError);
    }
    let _ = setsid();
    Ok(())
}
pub(crate) fn enter(_: &Confines<'_>) -> Result<Vec<String>, JailError> {
    Ok(vec![])
}
pub(crate) fn seal() -> Result<(), JailError> {
    Ok(())
}

impl std::fmt::Display for Jail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Required => "required",
            Self::BestEffort => "best-effort",
        })
    }
}
impl std::str::FromStr for Jail {
    type Err = String;
    fn from_str(t: &str) -> Result<Self, String> {
        match t {
            "required" => Ok(Self::Required),
            "best-effort" => Ok(Self::BestEffort),
            _ => Err("x".into()),
        }
    }
}
