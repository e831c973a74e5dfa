"""Runs one Python peer over a file of lines, file to file, with two workers, and prints the time in seconds.

    pools.py PEER INPUT OUTPUT [MODEL]

The clock starts after Python and the peer's package are loaded, so imports do not count. Where possible, lines keep
their line breaks, which saves peers some work.
"""

import json
import multiprocessing
import os
import sys
import time

WORKERS = 2
CHUNK = 256


def upper(line):
    return line.upper()


# ---------------------------------------------------------------- upper case


def pool_imap(_):
    def work(lines):
        with multiprocessing.Pool(WORKERS) as pool:
            yield from pool.imap(str.upper, lines, chunksize=CHUNK)

    return work


def mtasklite_pool(**settings):
    from mtasklite import Pool

    def work(lines):
        with Pool(upper, n_jobs=WORKERS, **settings)(lines) as results:
            yield from results

    return work


def pqdm_threads(_):
    from pqdm.threads import pqdm

    return lambda lines: pqdm(lines, upper, n_jobs=WORKERS, disable=True)


def pqdm_processes(_):
    from pqdm.processes import pqdm

    return lambda lines: pqdm(lines, upper, n_jobs=WORKERS, disable=True)


def mpire_imap(_):
    from mpire import WorkerPool

    def work(lines):
        with WorkerPool(WORKERS) as pool:
            yield from pool.imap(str.upper, lines, chunk_size=CHUNK)

    return work


def joblib_parallel(_):
    from joblib import Parallel, delayed

    return lambda lines: Parallel(n_jobs=WORKERS, batch_size=CHUNK)(delayed(upper)(line) for line in lines)


def wasmtime_pool(plugin):
    import wasmtime

    def start():
        global call_plugin
        engine = wasmtime.Engine()
        store = wasmtime.Store(engine)
        exports = wasmtime.Instance(store, wasmtime.Module.from_file(engine, plugin), []).exports(store)
        memory, call = exports["memory"], exports["call"]
        buffer = exports["mtl_alloc"](store, 4096)

        def call_plugin(line):
            line = line.encode()
            memory.write(store, line, buffer)
            result = call(store, buffer, len(line))
            at, length = result >> 32, result & 0xFFFF_FFFF
            return memory.read(store, at, at + length).decode()

    def work(lines):
        with multiprocessing.Pool(WORKERS, start) as pool:
            yield from pool.imap(through_plugin, lines, chunksize=CHUNK)

    return work


def through_plugin(line):
    return call_plugin(line)


# ---------------------------------------------------------------- tokens


def mtasklite_tokenizers(model, **settings):
    from mtasklite import Pool, delayed_init
    from tokenizers import Tokenizer

    @delayed_init
    class Tokenize:
        def __init__(self):
            self.tokenizer = Tokenizer.from_file(model)

        def __call__(self, line):
            return ids_of(self.tokenizer.encode(line.removesuffix("\n")))

    def work(lines):
        with Pool([Tokenize() for _ in range(WORKERS)], **settings)(lines) as results:
            yield from results

    return work


def tokenizers_loop(model):
    from tokenizers import Tokenizer

    def work(lines):
        tokenizer = Tokenizer.from_file(model)
        for line in lines:
            yield ids_of(tokenizer.encode(line.removesuffix("\n")))

    return work


def tokenizers_batch(model):
    # The package reads the variable when it starts its threads.
    os.environ["RAYON_NUM_THREADS"] = str(WORKERS)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    from tokenizers import Tokenizer

    def work(lines):
        tokenizer = Tokenizer.from_file(model)
        for begin in range(0, len(lines), 1000):
            batch = [line.removesuffix("\n") for line in lines[begin : begin + 1000]]
            for encoding in tokenizer.encode_batch(batch):
                yield ids_of(encoding)

    return work


def ids_of(encoding):
    return json.dumps(encoding.ids) + "\n"


PEERS = {
    "pool-imap": pool_imap,
    "mtasklite-threads": lambda _: mtasklite_pool(use_threads=True),
    "mtasklite-processes": lambda _: mtasklite_pool(),
    "mtasklite-processes-2000": lambda _: mtasklite_pool(chunk_size=2000),
    "pqdm-threads": pqdm_threads,
    "pqdm-processes": pqdm_processes,
    "mpire": mpire_imap,
    "joblib": joblib_parallel,
    "wasmtime": wasmtime_pool,
    "mtasklite-tokenizers": mtasklite_tokenizers,
    "mtasklite-tokenizers-2000": lambda model: mtasklite_tokenizers(model, chunk_size=2000),
    "tokenizers-loop": tokenizers_loop,
    "tokenizers-batch": tokenizers_batch,
}


def main():
    peer, source, target, *model = sys.argv[1:]
    work = PEERS[peer](*(model or [None]))
    begun = time.monotonic()
    with open(source, encoding="utf-8", newline="\n") as lines, open(target, "w", encoding="utf-8", newline="\n") as results:
        results.writelines(work(lines.readlines()))
    print(time.monotonic() - begun)


if __name__ == "__main__":
    main()
