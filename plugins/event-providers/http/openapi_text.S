/* The bytes of openapi.json, with a NUL, and how many they are. */
    .section .rodata
    .global openapi_text
    .global openapi_size
    .balign 8
openapi_text:
    .incbin "openapi.json"
openapi_end:
    .byte 0
    .balign 8
openapi_size:
    .quad openapi_end - openapi_text
    .section .note.GNU-stack,"",@progbits
