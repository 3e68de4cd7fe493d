// libdeflate, of which BoxClient uses the decompression; see its own comments.
#include <libdeflate.h>
