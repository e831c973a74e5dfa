//! `mtl-host run`: builds the pool that the flags describe, and runs it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mtl_host::cache::Cache;
use mtl_host::files::Opener;
use mtl_host::sink::OutputPaths;
use mtl_host::sink::{Directory, Output, Sink};
use mtl_host::source::{Inputs, ItemLimit, Source, Take, WithOutputPath};
use mtl_host::{Error, Order, Pool, PoolBuilder, RunResult, StopFlag};

use super::console::Console;
use super::descriptors;
use super::error::CliError;
use super::exit::{Exit, Interrupted, has_begun, is_closed_pipe};
use super::faults::FaultRecorder;
use super::faults_file::FaultsFile;
use super::finish_file::FinishFile;
use super::finish_wait::FinishWait;
use super::guest_writable;
use super::isolation_arg::IsolationArg;
use super::limit_args::WorkerLimits;
use super::overwrite::{self, FileUse};
use super::progress::{Progress, ResultsDestination};
use super::report::Report;
use super::run_args::{ItemArgs, ResultArgs, RunArgs, TimeArgs};
use super::run_observer::RunObserver;
use super::signals::Signals;
use super::system_limits;
use super::terminal::{self, Raw};
use super::wasm_input_check;

/// Executes the command, and reports errors to the user.
pub(super) fn run(args: &mut RunArgs) -> Exit {
    let console = Arc::new(Console::standard_error());
    try_run(args, &console).unwrap_or_else(|error| {
        Report::new(&console).startup_error(&error);
        Exit::of_error(&error)
    })
}

fn try_run(args: &mut RunArgs, console: &Arc<Console>) -> Result<Exit, CliError> {
    system_limits::allow_open_files();
    let stop = StopFlag::new();
    let report = Report::new(console).limit_finish_reports(args.limits.log_limit);
    check_output_dir(args)?;
    let opener = args.workers.open_dirs()?;
    wasm_input_check::check(&opener, &args.items.inputs, args.config.as_deref())?;
    // The check runs before a folder is built, and again when the path of the built plugin is known.
    check_guest_writable(args, &opener)?;
    args.workers.build()?;
    check_guest_writable(args, &opener)?;
    check_overwrites(args)?;
    descriptors::check(inputs(args).chain(outputs(args)))?;
    let source = open_source(&args.items, &opener, args.limits.max_item)?;
    let builder = describe(args, &report)?;
    let signals = Signals::listen(&stop, console)?;
    let observer = Arc::new(RunObserver::new(&report));
    let pool = builder.stop(&stop).observer(observer.clone()).prepare()?;
    // The outputs are opened before any plugin starts, because a plugin may replace files in granted directories. Until
    // the first item is done, the output files still contain the results of an earlier run.
    let (mut sink, output_paths) = open_outputs(args, &opener, &observer)?;
    let mut pool = match args.workers.isolation {
        // The confinement applies to the whole process, which has no other pool.
        IsolationArg::Thread => pool.confine().start()?,
        IsolationArg::Process => pool.start()?,
    };
    let source = match output_paths {
        Some(output_paths) => Box::new(WithOutputPath::new(source, &output_paths)),
        None => source,
    };
    let progress =
        Progress::start(&args.progress, args.results.destination(), pool.progress(), console)?;
    let mut outcome = pool.run(source, &mut sink);
    let has_ended_well = outcome.error.is_none() && !stop.is_set();
    if let Err(error) = sink.end(has_ended_well || has_begun(&outcome)) {
        outcome.error.get_or_insert(error.into());
    }
    drop(progress);
    close(pool, &outcome, args, &report, &stop);
    let synced = if args.results.sync { sync(&outcome, &mut sink, &observer) } else { Ok(()) };
    drop(signals);
    report_end(&outcome, &sink, args, &report);
    let finish_reports = observer.end();
    synced?;
    finish_reports?;
    let interrupted = if stop.is_set() { Interrupted::Yes } else { Interrupted::No };
    Ok(Exit::of_run(&outcome, interrupted))
}

fn open_source(
    args: &ItemArgs,
    opener: &Opener,
    limit: ItemLimit,
) -> Result<Box<dyn Source>, CliError> {
    let inputs = Inputs::open_with(opener, args.inputs.clone())?;
    let source = args.input_format.source(inputs, limit);
    Ok(match args.limit {
        Some(items) => Box::new(Take::new(source, items)),
        None => source,
    })
}

/// Opens all files that the run writes, and returns the output paths if results go to a directory.
fn open_outputs(
    args: &RunArgs,
    opener: &Opener,
    observer: &RunObserver,
) -> Result<(FaultRecorder, Option<OutputPaths>), CliError> {
    let mut files = Vec::new();
    // The directory comes first, because it may contain the other files.
    let directory = args.results.output_dir.as_deref();
    let directory = directory.map(|path| Directory::create_with(opener, path)).transpose()?;
    if let Some(path) = &args.time.finish_output {
        let file = FinishFile::open(path, args.results.raw())?;
        files.push(file.file());
        observer.set_finish_file(file);
    }
    let faults = args.faults.faults.as_deref();
    let faults = faults.map(|path| FaultsFile::open(path, args.results.raw())).transpose()?;
    files.extend(faults.as_ref().map(FaultsFile::file));
    let output_paths = directory.as_ref().map(|directory| directory.output_paths().clone());
    let sink: Box<dyn Sink> = match directory {
        Some(directory) => Box::new(directory),
        None => {
            let output = match args.results.file() {
                Some(path) => Output::open_with(opener, path)?,
                None => Output::standard(),
            };
            files.extend(output.file());
            let style = args.results.output_format.style();
            let output = terminal::output(output, args.results.raw(), style);
            args.results.output_format.sink(output, args.results.layout())
        }
    };
    if let Some(output_paths) = &output_paths {
        protect_files(args, output_paths);
    }
    Ok((
        FaultRecorder::new(sink, observer.report().clone(), faults).with_outputs(files),
        output_paths,
    ))
}

/// Returns the inputs, by names that the system knows.
fn inputs(args: &RunArgs) -> impl Iterator<Item = &Path> {
    let none = args.items.inputs.is_empty().then(|| Path::new("-"));
    let all = args.items.inputs.iter().map(PathBuf::as_path).chain(none);
    all.map(by_system_name)
}

/// Returns the outputs, by names that the system knows.
fn outputs(args: &RunArgs) -> impl Iterator<Item = &Path> {
    let side_files = [&args.faults.faults, &args.time.finish_output].into_iter().flatten();
    args.results.names().into_iter().chain(side_files.map(PathBuf::as_path))
}

/// Returns the system's path of an input: `-` becomes `/dev/stdin`.
fn by_system_name(path: &Path) -> &Path {
    if path.as_os_str() == "-" { Path::new("/dev/stdin") } else { path }
}

/// Excludes the files of the run from the paths of results.
fn protect_files(args: &RunArgs, output_paths: &OutputPaths) {
    for FileUse { path, .. } in files_read(args) {
        output_paths.protect(by_system_name(path));
    }
    for path in [&args.faults.faults, &args.time.finish_output].into_iter().flatten() {
        output_paths.protect(path);
    }
}

/// Returns a builder for the pool that the flags describe.
fn describe(args: &RunArgs, report: &Report) -> Result<PoolBuilder, CliError> {
    let cache = report.cache(args.cache.cache());
    let loaded = args.workers.pool(&args.limits, cache.as_ref())?;
    if let Some(error) = cache.as_ref().and_then(Cache::full_error) {
        report.no_cache(error);
    }
    let mut builder = loaded
        .item_format(args.items.input_format.item_format())
        .order(if args.workers.unordered { Order::Completion } else { Order::Input })
        .on_error(args.faults.on_error)
        .max_faults(args.faults.max_faults);
    builder = with_timing(builder, args);
    if let Some(format) = args.results.results {
        builder = builder.result_format(format.into());
    }
    Ok(builder)
}

/// Adds the settings of time, restarts and flow.
fn with_timing(builder: PoolBuilder, args: &RunArgs) -> PoolBuilder {
    let RunArgs { time, flow, .. } = args;
    let mut builder = builder
        .argument_passing(args.items.args)
        .retries(time.retries)
        .retry_on(time.retry_on)
        .max_restarts(time.max_restarts)
        .chunk_size(flow.chunk_size)
        .window(flow.window());
    let TimeArgs { timeout, init_timeout, .. } = *time;
    builder = WorkerLimits { timeout, init_timeout, ..Default::default() }.limit_pool(builder);
    if let Some(timeout) = time.join_timeout {
        builder = builder.join_timeout(timeout.get());
    }
    match time.recycle {
        Some(items) => builder.recycle(items),
        None => builder,
    }
}

/// Reports the end of the run, unless the reader of the results has closed the pipe.
fn report_end(outcome: &RunResult, faults: &FaultRecorder, args: &RunArgs, report: &Report) {
    let error = outcome.error.as_ref();
    if is_closed_pipe(error) {
        return;
    }
    report.suppressed(faults.suppressed());
    report.suppressed_finish_reports();
    let is_out_of_workers = matches!(error, Some(Error::Init { .. } | Error::NoWorkerLeft { .. }));
    match error {
        Some(error) if is_out_of_workers && has_begun(outcome) => report.ended_early(error),
        Some(error) => report.error(error),
        None => {}
    }
    let never_began = matches!(error, Some(Error::Init { .. })) && !has_begun(outcome);
    if !never_began && !args.progress.quiet {
        report.summary(&outcome.summary);
    }
}

/// Ends the workers, and reports how many finish reports they have lost.
fn close(pool: Pool, outcome: &RunResult, args: &RunArgs, report: &Report, stop: &StopFlag) {
    // If the reader of the results has closed the pipe, the user may still want the file of finish reports.
    let wants_finish_reports = args.time.finish_output.is_some();
    match &outcome.error {
        error if is_closed_pipe(error.as_ref()) && !wants_finish_reports => drop(pool),
        // No item was run, and other workers may still load data that nobody will use.
        Some(Error::Init { .. } | Error::NoWorkerLeft { .. }) if !has_begun(outcome) => drop(pool),
        _ => {
            let waiting = FinishWait::begin(report, stop);
            let reports = pool.close();
            drop(waiting);
            reports.iter().for_each(|worker| report.closed(worker));
        }
    }
}

/// Waits until all files of the run are on the disk.
fn sync(
    outcome: &RunResult,
    sink: &mut FaultRecorder,
    observer: &RunObserver,
) -> Result<(), CliError> {
    // The failure of a sink is already reported. Then the side files are synced alone.
    let results = match outcome.error {
        Some(Error::Sink(_)) => Ok(()),
        _ => sink.sync(),
    };
    let faults = sink.sync_file();
    let finish_reports = observer.sync();
    results?;
    faults?;
    Ok(finish_reports?)
}

/// Returns all files that the run reads.
fn files_read(args: &RunArgs) -> Vec<FileUse<'_>> {
    let mut read = args.workers.files();
    read.extend(args.config.iter().map(|path| FileUse { name: "the configuration", path }));
    read.extend(args.items.inputs.iter().map(|path| FileUse { name: "an input", path }));
    if args.items.inputs.is_empty() {
        read.push(FileUse { name: "an input", path: Path::new("-") });
    }
    read
}

/// Checks that no plugin may change the files that control the run, or its side files.
fn check_guest_writable(args: &RunArgs, opener: &Opener) -> Result<(), CliError> {
    let mut files = args.workers.files();
    files.extend(args.config.iter().map(|path| FileUse { name: "the configuration", path }));
    files
        .extend(args.faults.faults.iter().map(|path| FileUse { name: "the file of faults", path }));
    let finish_output = args.time.finish_output.iter();
    files.extend(finish_output.map(|path| FileUse { name: "the file of finish reports", path }));
    if args.items.input_format.reads_files() {
        files.extend(inputs(args).map(|path| FileUse { name: guest_writable::LIST, path }));
    }
    guest_writable::check(opener, &files)?;
    Ok(guest_writable::check_cache(opener, args.cache.path().as_deref())?)
}

/// Checks that no output of the run overwrites an input or another output.
fn check_overwrites(args: &RunArgs) -> Result<(), CliError> {
    let mut read = files_read(args);
    if let Some(path) = args.results.names() {
        overwrite::check(FileUse { name: "output", path }, &read)?;
        read.push(FileUse { name: "the output", path });
    }
    let side_files = [
        args.faults.faults.as_deref().map(|path| ("faults", "the faults", path)),
        args.time
            .finish_output
            .as_deref()
            .map(|path| ("finish reports", "the finish reports", path)),
    ];
    for (name, other_name, path) in side_files.into_iter().flatten() {
        overwrite::check(FileUse { name, path }, &read)?;
        read.push(FileUse { name: other_name, path });
    }
    Ok(())
}

/// Checks that items have file names, if results are named after them.
fn check_output_dir(args: &RunArgs) -> Result<(), CliError> {
    let format = args.items.input_format;
    if args.results.output_dir.is_some() && !format.names_files() {
        return Err(CliError::NamelessItems { format });
    }
    Ok(())
}

impl ResultArgs {
    /// Returns the file of the results, or `None` for standard output. `-` means standard output.
    fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| path.as_os_str() != "-")
    }

    /// Returns the output of the results by its system name, or `None` if each result has its own file.
    fn names(&self) -> Option<&Path> {
        // Standard output may be a redirected file.
        let standard = Some(Path::new("/dev/stdout")).filter(|_| self.output_dir.is_none());
        self.file().or(standard)
    }

    fn raw(&self) -> Raw {
        if self.raw { Raw::Yes } else { Raw::No }
    }

    fn destination(&self) -> ResultsDestination {
        match self.file().or(self.output_dir.as_deref()) {
            Some(_) => ResultsDestination::Elsewhere,
            None => ResultsDestination::ToStandardOutput,
        }
    }
}
