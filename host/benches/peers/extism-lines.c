/* Sends each line of standard input through a plugin of Extism, on one thread, and writes the results.
 *
 *     extism-lines PLUGIN FUNCTION <LINES >RESULTS
 *
 * This program is in C, like Extism's library: a call through its Python package is several times as slow. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The package has no header, so the functions of the library are declared here. */
typedef struct ExtismPlugin ExtismPlugin;
ExtismPlugin *extism_plugin_new(const uint8_t *wasm, uint64_t size, const void **functions,
                                uint64_t function_count, _Bool wasi, char **error);
int32_t extism_plugin_call(ExtismPlugin *plugin, const char *function, const uint8_t *input, uint64_t size);
uint64_t extism_plugin_output_length(ExtismPlugin *plugin);
const uint8_t *extism_plugin_output_data(ExtismPlugin *plugin);

static void fail(const char *what) {
    fprintf(stderr, "error: %s\n", what);
    exit(1);
}

static ExtismPlugin *load(const char *path) {
    static uint8_t wasm[1 << 20];
    FILE *file = fopen(path, "rb");
    if (!file) fail("cannot open the plugin");
    size_t size = fread(wasm, 1, sizeof wasm, file);
    fclose(file);

    char *error = NULL;
    ExtismPlugin *plugin = extism_plugin_new(wasm, size, NULL, 0, 0, &error);
    if (!plugin) fail(error);
    return plugin;
}

int main(int count, char **arguments) {
    if (count != 3) fail("a plugin and a function are needed");
    ExtismPlugin *plugin = load(arguments[1]);

    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    while ((length = getline(&line, &room, stdin)) > 0) {
        if (extism_plugin_call(plugin, arguments[2], (uint8_t *)line, (uint64_t)length) != 0)
            fail("the plugin failed");
        fwrite(extism_plugin_output_data(plugin), 1, extism_plugin_output_length(plugin), stdout);
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
