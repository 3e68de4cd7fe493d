// The parts of libsystemd that the Systemd module uses. See sd-daemon(3), sd_journal_sendv(3), sd_id128_get_boot(3).
#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
