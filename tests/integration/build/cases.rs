//! Lists, for each language, the commands that a build runs for given files and tools.

use super::fake::COMPILER;

/// Names, each with a text.
pub(super) type Texts = &'static [(&'static str, &'static str)];

/// A language: the files of its project, the tools of the machine, and the commands of its build.
pub(super) struct Case {
    pub(super) files: Texts,
    pub(super) tools: Texts,
    pub(super) commands: &'static str,
}

const FAILS: &str = "#!/bin/sh\nexit 1\n";
const ASC: &str = r#"{"devDependencies":{"assemblyscript":"0.28"}}"#;
const QJS: &str = r#"{"devDependencies":{"componentize-qjs":"0.4"}}"#;

pub(super) const C: Case = Case {
    files: &[
        ("worker.c", "a"),
        ("src/b.c", "b"),
        ("test_worker.c", "c"),
        ("mtl-plugin/mtl.h", "h"),
    ],
    tools: &[("zig", COMPILER)],
    commands: "zig cc -target wasm32-wasi -mexec-model=reactor -Os -s -Wl,-z,stack-size=1048576 -I. \
               -Imtl-plugin worker.c src/b.c -o build/.new/p.wasm\n",
};

pub(super) const CASES: [Case; 15] = [
    C,
    Case {
        files: &[("a b.cpp", "")],
        tools: &[("python3", COMPILER)],
        commands: "python3 -c 'import ziglang'\n\
                   python3 -m ziglang cc -target wasm32-wasi -mexec-model=reactor -Os -s \
                   -Wl,-z,stack-size=1048576 -I. -Imtl-plugin -fno-exceptions 'a b.cpp' -lc++ \
                   -o build/.new/p.wasm\n",
    },
    Case {
        files: &[("worker.cc", "")],
        // The first clang has no C library.
        tools: &[
            ("python3", FAILS),
            ("clang", "#!/bin/sh\necho crt1-reactor.o\n"),
            ("clang-22", COMPILER),
        ],
        commands: "python3 -c 'import ziglang'\n\
                   clang --target=wasm32-wasi -print-file-name=crt1-reactor.o\n\
                   clang-22 --target=wasm32-wasi -print-file-name=crt1-reactor.o\n\
                   clang-22 --target=wasm32-wasi -mexec-model=reactor -Os -s \
                   -Wl,-z,stack-size=1048576 -I. -Imtl-plugin -fno-exceptions worker.cc -lc++ \
                   -lc++abi -o build/.new/p.wasm\n",
    },
    Case {
        files: &[("worker.zig", ""), ("other.zig", "")],
        tools: &[("zig", COMPILER)],
        commands: "zig build-exe worker.zig -target wasm32-freestanding -fno-entry -rdynamic \
                   -OReleaseFast -fstrip --stack 1048576 -femit-bin=build/.new/p.wasm\n",
    },
    Case {
        files: &[("build.zig", ""), ("other.zig", ""), ("another.zig", "")],
        tools: &[(
            "zig",
            "#!/bin/sh\necho zig >>../ran\n/bin/mkdir -p build/zig-out/bin\n\
             /bin/cp ../plugin.wasm build/zig-out/bin/other.wasm\n",
        )],
        commands: "zig build --prefix build/zig-out --release=fast\n",
    },
    Case {
        files: &[("go.mod", ""), ("main.go", "")],
        tools: &[("go", COMPILER)],
        commands: "go env GOVERSION\nGOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -ldflags=-s \
                   -o build/.new/p.wasm .\n",
    },
    Case {
        files: &[("package.json", ASC), ("assembly/index.ts", ""), ("mtl-plugin/abort.ts", "")],
        tools: &[("asc", COMPILER)],
        commands: "asc assembly/index.ts -o build/.new/p.wasm --optimize --runtime incremental \
                   --use abort=mtl-plugin/abort/abort\n",
    },
    Case {
        files: &[("package.json", ASC), ("index.ts", ""), ("index.test.ts", "")],
        // The package that this command installs is the compiler.
        tools: &[(
            "npm",
            "#!/bin/sh\necho npm >>../ran\n/bin/mkdir -p node_modules/.bin node_modules/assemblyscript\n\
             /bin/cp ../asc node_modules/.bin/asc\necho x >node_modules/.package-lock.json\n",
        )],
        commands: "npm install --ignore-scripts --no-audit --no-fund\n\
                   node_modules/.bin/asc index.ts -o build/.new/p.wasm --optimize --runtime \
                   incremental --use abort=\n",
    },
    Case {
        files: &[("package.json", QJS), ("mtl-plugin/build.mjs", ""), ("package-lock.json", "")],
        tools: &[
            ("node", COMPILER),
            (
                "npm",
                "#!/bin/sh\necho npm >>../ran\n/bin/mkdir -p node_modules/componentize-qjs\n\
                 echo changed >package-lock.json\n",
            ),
        ],
        commands: "npm ci --ignore-scripts --no-audit --no-fund\n\
                   node mtl-plugin/build.mjs build/.new/p.wasm\n",
    },
    Case {
        files: &[("package.json", QJS), ("mtl-plugin/build.mjs", "")],
        tools: &[("node", COMPILER), ("componentize-qjs", FAILS)],
        commands: "node mtl-plugin/build.mjs build/.new/p.wasm\n",
    },
    Case {
        files: &[("my_worker.py", ""), ("test_my_worker.py", "")],
        tools: &[("componentize-py", COMPILER)],
        commands: "componentize-py -q -d mtl-plugin/wit -w plugin componentize my_worker -p . -p \
                   mtl-plugin -o build/.new/p.wasm\n",
    },
    Case {
        files: &[("app.py", ""), ("other.py", ""), ("requirements.txt", "six")],
        tools: &[
            ("componentize-py", COMPILER),
            (
                "python3",
                "#!/bin/sh\necho python >>../ran\n/bin/mkdir -p build/packages\n\
                 case $1 in -c) /bin/cp \"$3\" \"$4\" ;; esac\n",
            ),
        ],
        commands: "python3 -m pip install --quiet --disable-pip-version-check --upgrade --target \
                   build/packages --only-binary :all: --platform any --implementation py --abi none \
                   -r requirements.txt\n\
                   python3 -c 'import shutil, sys; shutil.copyfile(*sys.argv[1:])' requirements.txt \
                   build/packages/.requirements.txt\n\
                   componentize-py -q -d mtl-plugin/wit -w plugin componentize app -p . -p \
                   mtl-plugin -p build/packages -o build/.new/p.wasm\n",
    },
    // A file name that begins with a dash must not be read as a flag or a list of flags.
    Case {
        files: &[("-x.c", ""), ("@y.c", ""), ("z.c", "")],
        tools: &[("zig", COMPILER)],
        commands: "zig cc -target wasm32-wasi -mexec-model=reactor -Os -s \
                   -Wl,-z,stack-size=1048576 -I. -Imtl-plugin ./-x.c ./@y.c z.c -o build/.new/p.wasm\n",
    },
    Case {
        files: &[("-x.zig", "")],
        tools: &[("zig", COMPILER)],
        commands: "zig build-exe ./-x.zig -target wasm32-freestanding -fno-entry -rdynamic \
                   -OReleaseFast -fstrip --stack 1048576 -femit-bin=build/.new/p.wasm\n",
    },
    Case {
        files: &[("package.json", ASC), ("-x.ts", "")],
        tools: &[("asc", COMPILER)],
        commands: "asc ./-x.ts -o build/.new/p.wasm --optimize --runtime incremental --use abort=\n",
    },
];
