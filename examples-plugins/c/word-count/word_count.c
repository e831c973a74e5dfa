/* Counts words. The lesson: a worker keeps its state from item to item and reports it at the end.

   The result of an item is its number of words. The finish report is the total of the worker; the
   totals of all workers add up to that of the input. */
#include "mtl_plugin.h"

static uint64_t all_items, all_words, all_bytes;

static mtl_result init(mtl_bytes arguments) {
    if (arguments.length > 0) return mtl_refused("this worker takes no arguments");
    mtl_result_format(MTL_JSON);
    return mtl_nothing();
}

static mtl_result call(mtl_bytes item) {
    uint64_t words = 0;
    bool in_word = false;
    mtl_bytes rest = item;
    while (rest.length > 0) {
        uint32_t character = mtl_take_character(&rest);
        if (character == MTL_NO_CHARACTER) {
            return mtl_bad_item("not UTF-8 from byte %zu on", item.length - rest.length);
        }
        bool space = mtl_is_white_space(character);
        words += !space && !in_word;
        in_word = !space;
    }
    all_items++;
    all_words += words;
    all_bytes += item.length;
    return mtl_printed("%" PRIu64, words);
}

static mtl_result finish(void) {
    return mtl_printed("{\"worker\":%" PRIu32 ",\"items\":%" PRIu64 ",\"words\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
                       mtl_worker_index(), all_items, all_words, all_bytes);
}

MTL_PLUGIN(init, call, finish)
