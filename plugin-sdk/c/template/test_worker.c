/* cc -Imtl-plugin test_worker.c -o test_worker && ./test_worker */
#include "worker.c"

#include "mtl_test.h"

int main(void) {
    MTL_CHECK_NOTHING(init(mtl_text("Hi")));
    MTL_CHECK_RECORD(call(mtl_test_item("Ada")), "Hi, Ada!");
    MTL_CHECK_BAD_ITEM(call(mtl_test_item("")), "there is nobody to greet");
    MTL_CHECK_RECORD(finish(), "greeted: 1");
    return mtl_test_end();
}
