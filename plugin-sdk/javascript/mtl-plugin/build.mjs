#!/usr/bin/env node
/**
 * Makes a component of the project in the current folder: node mtl-plugin/build.mjs OUT.wasm
 *
 * esbuild bundles the module that package.json names as `main` with all its imports. Then the bundle is combined with an
 * engine: QuickJS if package.json depends on `componentize-qjs`, otherwise SpiderMonkey by `componentize-js`. The tools
 * come from node_modules, here or above, or from PATH. If a tool is missing, the exit code is 3.
 */

import { existsSync } from 'node:fs';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const MISSING = 3;
const sdk = dirname(fileURLToPath(import.meta.url));
const wit = join(await realpath(join(sdk, 'wit')), 'plugin.wit');
const project = process.cwd();

const out = process.argv[2];
if (!out) {
  console.error('error: the path of the component is missing\n hint: node mtl-plugin/build.mjs worker.wasm');
  process.exit(2);
}

const manifest = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'));
const needs = { ...manifest.dependencies, ...manifest.devDependencies };
const folder = await mkdtemp(join(tmpdir(), 'mtl-plugin-'));
try {
  const bundle = join(folder, 'worker.js');
  await bundleTo(resolve(project, manifest.main ?? 'worker.js'), bundle);
  const component = await ('componentize-qjs' in needs ? withQuickJs(bundle) : withSpiderMonkey(bundle));
  await writeFile(out, component);
} catch (error) {
  console.error(`error: ${error.message}`);
  if (error.code === MISSING) console.error(' hint: npm install');
  process.exitCode = error.code === MISSING ? MISSING : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Writes one module that contains all imports except those of the host. */
async function bundleTo(entry, outfile) {
  const { build } = await findTool('esbuild', 'esbuild');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    mainFields: ['module', 'main'],
    conditions: ['mtl-host', 'module', 'import'],
    external: ['mtl:*', 'wasi:*'],
    logLevel: 'warning',
  });
}

async function withSpiderMonkey(bundle) {
  const { componentize } = await findTool('@bytecodealliance/componentize-js', 'componentize-js');
  const { component } = await componentize({
    sourcePath: bundle,
    witPath: wit,
    worldName: 'plugin',
    disableFeatures: ['http', 'fetch-event'],
  });
  return component;
}

async function withQuickJs(bundle) {
  const { componentize } = await findTool('componentize-qjs', 'componentize-qjs');
  const { component } = await componentize({
    witPath: wit,
    world: 'plugin',
    jsSource: await readFile(bundle, 'utf8'),
    jsPath: bundle,
    moduleRoot: dirname(bundle),
    // The exports are synchronous, so that the host needs no asynchronous calls.
    sync: true,
  });
  return component;
}

/** Returns a package that is installed here, above, or as the command of that name in PATH. */
async function findTool(name, command) {
  for (let at = project; ; at = dirname(at)) {
    const found = join(at, 'node_modules', name);
    if (existsSync(found)) return load(found);
    if (at === dirname(at)) break;
  }
  for (const entry of (process.env.PATH ?? '').split(delimiter)) {
    const found = join(entry, command);
    const home = existsSync(found) && packageOf(await realpath(found));
    if (home) return load(home);
  }
  throw Object.assign(new Error(`\`${name}\` is not installed`), { code: MISSING });
}

/** Returns the folder of the package that a file belongs to, or undefined if the command is not a package's script. */
function packageOf(file) {
  for (let at = dirname(file); at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, 'package.json'))) return at;
  }
  return undefined;
}

async function load(installed) {
  const { exports, main } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  return import(pathToFileURL(join(installed, exports?.import ?? main)));
}
