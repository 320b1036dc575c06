#include "detect/intel/stix_object.h"

/* The marking definitions that the specifications fix: TLP 1.0 (STIX 2.1 section 7.2.1.4) and TLP 2.0 (OASIS). */
static const char *const ID_2[TLP_COUNT] = {
    NULL,
    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
};
static const char *const ID_1[TLP_COUNT] = {
    NULL,
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    NULL,
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
};
static const char *const NAME[TLP_COUNT] = {"", "TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"};

const char *stix_tlp_name(enum stix_tlp tlp)
{
    return NAME[tlp];
}

const char *stix_tlp_id(enum stix_tlp tlp)
{
    return ID_2[tlp];
}

int stix_tlp_from_name(struct slice name)
{
    char upper[24] = "TLP:";
    size_t at = 4;

    if (name.len > 4 && (name.ptr[3] == ':'))
        name = slice_from(name, 4);
    for (size_t i = 0; i < name.len && at + 1 < sizeof upper; i++) {
        uint8_t c = name.ptr[i];
        upper[at++] = (char)(c >= 'a' && c <= 'z' ? c - 32 : c == '_' || c == '-' ? '+' : c);
    }
    if (strcmp(upper, "TLP:WHITE") == 0)
        return TLP_CLEAR;
    for (int i = TLP_CLEAR; i < TLP_COUNT; i++)
        if (strcmp(upper, NAME[i]) == 0)
            return i;
    return -1;
}

int stix_tlp_from_id(struct slice id)
{
    for (int i = TLP_CLEAR; i < TLP_COUNT; i++)
        if (slice_equal_str(id, ID_2[i]) || (ID_1[i] != NULL && slice_equal_str(id, ID_1[i])))
            return i;
    return -1;
}
