/* cc -Imtl-plugin test_word_count.c -o build/test_word_count && build/test_word_count */
#include "word_count.c"

#include "mtl_test.h"

int main(void) {
    MTL_CHECK_NOTHING(init(mtl_text("")));
    MTL_CHECK_RECORD(call(mtl_test_item("to be or not")), "4");
    MTL_CHECK_RECORD(call(mtl_test_item("")), "0");
    MTL_CHECK_RECORD(call(mtl_test_item("  naïve\tword ")), "2");
    MTL_CHECK_BAD_ITEM(call(mtl_test_item("a\xff")), "not UTF-8 from byte 1 on");
    MTL_CHECK_RECORD(finish(), "{\"worker\":0,\"items\":3,\"words\":6,\"bytes\":26}");
    return mtl_test_end();
}
