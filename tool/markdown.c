/* SPDX-License-Identifier: Apache-2.0 */
/* docs/CLI.md, from the table of verbs: `bowline help --markdown`. */
#include <stdio.h>
#include <string.h>

#include "tool.h"

static bool option_row(const struct option *option, void *ctx)
{
    char phrase[512];

    (void)ctx;
    option_phrase(option, phrase, sizeof phrase);
    printf("| `--%s%s%s`%s | %s |\n", option->name,
           option->value == NULL ? "" : " ",
           option->value == NULL ? "" : option->value,
           option->letter == 0     ? ""
           : option->letter == 'o' ? ", `-o`"
           : option->letter == 'q' ? ", `-q`"
                                   : ", `-h`",
           phrase);
    return false;
}

static void exits(unsigned mask)
{
    const char *divider = "";

#define ITEM(name, number, meaning)                                           \
    if ((mask & (1U << (number))) != 0) {                                     \
        printf("%s%d", divider, number);                                      \
        divider = ", ";                                                       \
    }
    EXIT_LIST(ITEM)
#undef ITEM
}

static void verb_section(const struct verb *v)
{
    printf("\n## bowline %s%s%s\n\n%s.\n\n%s\n\n| Option | |\n|---|---|\n",
           v->name, v->arguments[0] == '\0' ? "" : " ", v->arguments,
           v->summary, v->about);
    (void)verb_option(v, option_row, NULL);
    printf("\nExit codes: ");
    exits(v->exits);
    printf(".\n");
    if (v->json != NULL) {
        printf("\nWith `--json`:\n\n```\n%s\n```\n", v->json);
    }
    if (v->example != NULL) {
        printf("\nExample:\n\n```\n%s\n```\n", v->example);
    }
}

static void fields_of_inspect(void)
{
    printf(
        "\n## Fields of `inspect --json`\n\n"
        "Each file is an object with `file`, `type`, `size`, `sha256`, "
        "`verifies`, `problem`, and by its type:\n\n"
        "| Type | Fields |\n|---|---|\n"
        "| `envelope` | `manifest` (digest), `signed_by`, `sequence`, "
        "`version`, `version_text`, `vendor_name`, `model_name`, "
        "`vendor_id`, `class_id`, `components`, `payloads` (`component`, "
        "`uri`, `sha256`, `size`, `file`), `commands` |\n"
        "| `root document` | `version`, `issued`, `floor`, `ceiling`, "
        "`roles` (`threshold`, `keys`, `kinds`, `components`), `signed_by` "
        "|\n"
        "| `permit` | `expires`, `issued`, `device`, `manifest`, "
        "`class_id`, `signed_by` |\n"
        "| `ticket` | `expires`, `issued`, `nonce`, `device`, `manifest`, "
        "`root_version` |\n"
        "| `key` | `kind`, `kid`, `private`, `signatures_left` |\n"
        "| `image` | `format`, `version`, `product`, `version_from`, "
        "`record_offset`; ESP32: `chip`, `chip_id`, `min_revision`, "
        "`max_revision`, `spi_mode`, `flash_size`, `entry`, `length`, "
        "`checksum`, `checksum_ok`, `hash_appended`, `hash_ok`, "
        "`secure_boot_signatures`, `project`, `descriptor_version`, `built`, "
        "`idf`, `secure_version`, `elf_sha256`, `min_efuse_block`, "
        "`max_efuse_block`, `mmu_page_log2`, `bootloader_version`, "
        "`segments`; ELF: `bits`, `byte_order`, `machine`, "
        "`machine_number`, `elf_type`, `entry`, `sections`, "
        "`bowline_section` |\n");
}

void help_markdown(void)
{
    size_t i;

    printf("# The program `bowline`\n\n"
           "Made by `bowline help --markdown` from the table of verbs; "
           "change it there.\n\n"
           "Results go to standard output, hints and progress to standard "
           "error, which `--quiet` silences. With `--json` standard output "
           "is one object, also when it failed: then it has `error` with "
           "`message`, `status` (the kebab-case name of a status code, or "
           "null) and `exit`. Keys may be added, and never change. Colors "
           "only on a terminal, and not when `NO_COLOR` is set.\n\n"
           "| Exit code | |\n|---|---|\n");
#define ROW(name, number, meaning) printf("| %d | %s |\n", number, meaning);
    EXIT_LIST(ROW)
#undef ROW
    printf("\nSettings come from options, then `BOWLINE_SERVER`, "
           "`BOWLINE_CA_FILE`, `BOWLINE_TOKEN_FILE`, then `bowline.conf`, "
           "which is looked for in the current folder and those above, or "
           "named by `--config` or `BOWLINE_CONFIG`. A secret is never an "
           "argument: tokens and keys are files.\n");
    for (i = 0; i < n_verbs; i++) {
        verb_section(&verbs[i]);
    }
    fields_of_inspect();
}
