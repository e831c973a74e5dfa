/* cc -Imtl-plugin test_square.c -o build/test_square && build/test_square */
#include "square.c"

#include "mtl_test.h"

static const struct {
    const char *item, *record;
} squares[] = {
    {"12", "144"},
    {" -12\r", "144"},
    {"0", "0"},
    {"1.5", "2.25"},
    {"1e3", "1000000"},
    {"2.384185791015625e-7", "0.00000000000005684341886080802"},
    {"18446744073709551615", "340282366920938463426481119284349108225"},
};

int main(void) {
    for (size_t i = 0; i < sizeof squares / sizeof *squares; i++) {
        MTL_CHECK_RECORD(call(mtl_test_item(squares[i].item)), squares[i].record);
    }
    MTL_CHECK_REFUSED(call(mtl_test_item("18446744073709551616")), "the square has more than 128 bits");
    MTL_CHECK_BAD_ITEM(call(mtl_test_item("twelve")), "not a number: `twelve`");
    MTL_CHECK_BAD_ITEM(call(mtl_test_item("")), "not a number: ``");
    MTL_CHECK_BAD_ITEM(call(mtl_test_item("inf")), "not a number: `inf`");
    return mtl_test_end();
}
